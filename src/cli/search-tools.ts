/** A tool as the command line lists it. */
export interface ListedTool {
  /** `{connection}:{tool}`. */
  readonly id: string
  /** Absent where the Weir that was asked does not say. */
  readonly effect?: string
  readonly description: string
}

/** The tools that hold every word, in id or description; a word in the id counts for more. Without words all, as they came. */
export function searchTools<T extends ListedTool>(
  tools: readonly T[],
  words: readonly string[],
): readonly T[] {
  const wanted = words.map((word) => word.toLowerCase())
  const scored = tools.map((tool) => ({ tool, scores: wanted.map((word) => scoreOf(tool, word)) }))
  return scored
    .filter(({ scores }) => scores.every((score) => score > 0))
    .map(({ tool, scores }) => ({ tool, score: scores.reduce((sum, score) => sum + score, 0) }))
    .sort((a, b) => b.score - a.score)
    .map(({ tool }) => tool)
}

function scoreOf({ id, description }: ListedTool, word: string): number {
  const parts = id.toLowerCase().split(/[^a-z0-9]+/)
  if (parts.includes(word)) return 4
  if (id.toLowerCase().includes(word)) return 3
  return description.toLowerCase().includes(word) ? 1 : 0
}
