import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files by their path from the repository's root, with `/`. The checks see nothing else, so faults can be planted. */
export type Tree = ReadonlyMap<string, string>

/** What holds other people's files or generated ones, whatever git would say of it. */
const foreignFolders = new Set(['.git', 'node_modules', 'dist', 'coverage', 'data', 'results'])

/** Not text, or made by a run: databases may also vanish while the tree is read. In a worktree `.git` is a file. */
const foreignFiles = /^\.git$|\.(db|sqlite|png|ico|woff2?|wasm|gz|tgz|log|tsbuildinfo)(-\w+)?$/

/** The text of a tree's file; a missing one is a fault of the caller. */
export function textOf(tree: Tree, path: string): string {
  const text = tree.get(path)
  if (text === undefined) throw new Error(`The tree has no file ${path}.`)
  return text
}

/** Reads every file of the repository that is ours. Not by git, so that it also works in an unpacked archive. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>()
  readFolder(root, '', tree)
  return tree
}

function readFolder(root: string, folder: string, tree: Map<string, string>): void {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isFile() && !foreignFiles.test(entry.name))
      tree.set(path, readFileSync(join(root, path), 'utf8'))
    else if (entry.isDirectory() && !isForeign(folder, entry.name)) readFolder(root, path, tree)
  }
}

// `data` and `results` are output only at the root, as .gitignore has it; deeper they are names like any other.
function isForeign(folder: string, name: string): boolean {
  if (name === 'data' || name === 'results') return folder === ''
  return foreignFolders.has(name)
}

/** Whether the file is a test, which ships with nothing and may import anything. */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

/** Whether the file exists for tests alone: a test, or a fixture that tests run (a worker, a server, a child). */
export function isTestOnly(path: string): boolean {
  return isTest(path) || path.endsWith('.fixture.ts') || path.includes('/fixtures/')
}

/** Whether the file is code that can be parsed: TypeScript, or the plain JavaScript of bin/. */
export function isCode(path: string): boolean {
  return /\.(ts|js|mjs)$/.test(path)
}

/** The code under the given top folders, tests included, in a stable order. */
export function codeUnder(tree: Tree, ...folders: readonly string[]): readonly string[] {
  return [...tree.keys()]
    .filter((path) => isCode(path) && folders.some((folder) => path.startsWith(`${folder}/`)))
    .sort()
}

/** What runs at a user's: the code of src without its tests and their fixtures. */
export function productionCode(tree: Tree): readonly string[] {
  return codeUnder(tree, 'src').filter((path) => !isTestOnly(path))
}
