/** Column names of which none repeats: `id`, `id_2`. A row as an object would lose a value otherwise. */
export function numberColumns(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    let unique = name
    for (let number = 2; taken.has(unique); number++) unique = `${name}_${number}`
    taken.add(unique)
    return unique
  })
}

/**
 * Makes rows, asking for each column's value. A column named `__proto__` must become a member like any other, which an
 * assignment does not make it; such rows are built in a slower way.
 */
export function createRowBuilder(
  columns: readonly string[],
): (valueAt: (index: number) => unknown) => Record<string, unknown> {
  if (columns.includes('__proto__')) {
    return (valueAt) => Object.fromEntries(columns.map((name, index) => [name, valueAt(index)]))
  }
  return (valueAt) => {
    const row: Record<string, unknown> = {}
    for (let index = 0; index < columns.length; index++) row[columns[index]!] = valueAt(index)
    return row
  }
}
