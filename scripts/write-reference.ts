import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { references } from './reference.ts'

const root = join(import.meta.dirname, '..')

for (const { path, render } of references) {
  mkdirSync(join(root, dirname(path)), { recursive: true })
  writeFileSync(join(root, path), render())
  process.stderr.write(`wrote ${path}\n`)
}
