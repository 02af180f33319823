import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const specifier = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g

/**
 * The packages whose types a user of these declarations sees: they must be installed with the package, although their
 * code is in the bundle. `doors` are declaration files below `out`.
 */
export async function findTypedPackages(out: string, doors: readonly string[]): Promise<ReadonlySet<string>> {
  const packages = new Set<string>()
  const seen = new Set<string>()
  const queue = doors.map((door) => join(out, door))
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    for (const [, name = ''] of (await readFile(file, 'utf8')).matchAll(specifier)) {
      if (name.startsWith('.')) {
        const declaration = join(dirname(file), name.replace(/\.[jt]s$/, '.d.ts'))
        if (existsSync(declaration)) queue.push(declaration)
      } else if (!name.startsWith('node:')) packages.add(packageOf(name))
    }
  }
  return packages
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')
}
