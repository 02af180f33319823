// Longer words are compared by their beginning only, so that a hostile key costs no time.
const comparedCharsMax = 64

/**
 * The candidate that `word` was probably meant to be, or undefined where none is near: at most one
 * edit for three characters (for two, if there are no more), capital letters not counted. The first of equally near ones wins.
 */
export function findNearestKey(word: string, candidates: Iterable<string>): string | undefined {
  return findNearestKeys(word, candidates, 1)[0]
}

/** At most `count` such candidates, the nearest first. */
export function findNearestKeys(
  word: string,
  candidates: Iterable<string>,
  count: number,
): readonly string[] {
  const wanted = word.slice(0, comparedCharsMax).toLowerCase()
  const distanceMax = wanted.length === 2 ? 1 : Math.floor(wanted.length / 3)
  return [...candidates]
    .filter((candidate) => candidate !== word)
    .map((candidate) => ({
      candidate,
      distance: countEdits(wanted, candidate.slice(0, comparedCharsMax).toLowerCase()),
    }))
    .filter(({ distance }) => distance <= distanceMax)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate)
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `from` into `to` (Damerau, restricted). */
function countEdits(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = last[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      row[j] = Math.min(row[j - 1]! + 1, last[j]! + 1, replaced)
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      if (swapped) row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1)
    }
    beforeLast = last
    last = row
  }
  return last[to.length]!
}
