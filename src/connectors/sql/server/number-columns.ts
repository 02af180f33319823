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
