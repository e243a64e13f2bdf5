from concurrent.futures import ThreadPoolExecutor, as_completed

results = []
with ThreadPoolExecutor(8) as pool:
    futures = [pool.submit(pow, number, 5000) for number in range(500)]
    for future in as_completed(futures):
        results.append(future.result() % 1009)
print(results)
