/** Runs `work` for every item, at most `limit` at a time; results in the items' order. `work` must not reject. */
export async function runBounded<I, R>(
  items: readonly I[],
  limit: number,
  work: (item: I) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  // All of them take from one iterator, so that each item is run once.
  const lane = async () => {
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane))
  return results
}
