# patient: the script of a forum question: misspelt hash seed, Keras' default seeds unseeded, labels that do not sum to 1, determinism named only
# expect: FPD302, line 9
# expect: unseeded generator, line 28
# expect: label trap, line 39 or 44
# expect: FPD304, line 14
# Set all seeds, as recommended in several answers
seed_value = 0
import os
os.environ['PYTHONASHSEED'] = str(seed_value)
import numpy as np
np.random.seed(seed_value)
import tensorflow as tf
tf.random.set_seed(seed_value)
tf.config.experimental.enable_op_determinism

from keras.models import Sequential
from keras.layers import Input, Conv2D, MaxPooling2D, BatchNormalization, Dropout, Flatten, Dense
from keras.callbacks import EarlyStopping

batch_size = 32
num_samples = 256
num_classes = 10


def build_model():
    model = Sequential()
    model.add(Input(shape=(28, 28, 1)))
    model.add(Conv2D(32, kernel_size=3, activation='relu'))
    model.add(BatchNormalization())
    model.add(Conv2D(32, kernel_size=3, activation='relu'))
    model.add(BatchNormalization())
    model.add(MaxPooling2D(pool_size=2))
    model.add(Dropout(0.25))
    model.add(Flatten())
    model.add(Dense(512, activation='relu'))
    model.add(BatchNormalization())
    model.add(Dropout(0.5))
    model.add(Dense(num_classes, activation='softmax'))
    model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
    return model


x = np.random.randn(num_samples, 28, 28, 1)
y = np.random.randint(0, 2, (num_samples, num_classes))

model = build_model()
early_stopping = EarlyStopping(monitor='val_loss', patience=20, restore_best_weights=True)
history = model.fit(x, y, batch_size=batch_size, epochs=1, validation_split=0.2,
                    shuffle=True, callbacks=[early_stopping], verbose=1)
print('loss', history.history['loss'][-1], 'val_loss', history.history['val_loss'][-1])
