import { createHash } from 'node:crypto'
import type { Parameter } from './read-parameters.ts'

/** What model providers take as the name of a field. */
const nameCharsMax = 64

/**
 * The argument of each parameter, in their order, which is by location: path, query, header. The first to have a name
 * keeps it; a later one has its location before it. `body` is the body's where there is one.
 */
export function nameArguments(parameters: readonly Parameter[], hasBody: boolean): readonly string[] {
  const taken = new Set(hasBody ? ['body'] : [])
  return parameters.map(({ name, location }) => {
    const plain = clean(name)
    const argument = [plain, clean(`${location}_${name}`)].find((candidate) => !taken.has(candidate))
    const settled = argument ?? withHash(plain, `${location} ${name}`)
    taken.add(settled)
    return settled
  })
}

function clean(name: string): string {
  const cleaned = name
    .replace(/[^A-Za-z0-9_.-]+/g, '_')
    .replace(/^_+(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])_+$/g, '')
  if (cleaned.length <= nameCharsMax && /[A-Za-z0-9]/.test(cleaned)) return cleaned
  return withHash(cleaned, name)
}

function withHash(name: string, whole: string): string {
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 8)
  return `${name.slice(0, nameCharsMax - 9)}_${hash}`
}
