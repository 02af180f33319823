import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, glob, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import { bundleSources } from './bundle-sources.ts'
import { findTypedPackages } from './find-typed-packages.ts'

const run = promisify(execFile)
const tsc = join(import.meta.dirname, '../node_modules/typescript/bin/tsc')

/** What ships beside the compiled sources, as far as it is there. */
const shipped = ['bin', 'README.md', 'LICENSE', 'CHANGELOG.md', 'weir.schema.json']

/** Fields of package.json that concern the repository and not the package. */
const repositoryFields = ['private', 'workspaces', 'scripts', 'devDependencies']

/** What is run as a program of its own. */
const programs = ['@modelcontextprotocol/server-everything']

/**
 * What connections of one kind load when they open. Nothing is gained by having them in the bundle, and an installed one
 * gets its security fixes by itself. Whole scopes end in a slash.
 */
const drivers = [
  ...['pg', 'mysql2', 'redis', 'amqplib', '@platformatic/kafka', '@nats-io/'],
  ...['@aws-sdk/', '@azure/storage-blob', 'nodemailer'],
]

/**
 * Makes the package at `out` from the repository at `root`: declarations and bundled code under the repository's own
 * folders (`bin/`, `src/`), so that every relative path means the same in both. Then runs it once, so that a package
 * which cannot start is never published.
 */
export async function buildPackage(root: string, out: string): Promise<void> {
  await rm(out, { recursive: true, force: true })
  const source = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
  await declare(root, out)
  await bundleSources({
    root,
    out,
    doors: await findDoors(root, source),
    external: [...programs, ...drivers, ...Object.keys((source['peerDependencies'] ?? {}) as object)],
  })
  await copyAssets(root, out)
  await rewriteSpecifiers(out)
  const doors = Object.values((source['exports'] ?? {}) as Readonly<Record<string, string>>)
  const declarations = doors
    .filter((door) => door.endsWith('.ts'))
    .map((door) => door.replace(/\.ts$/, '.d.ts'))
  const manifest = renderManifest(source, await findTypedPackages(out, declarations))
  await writeFile(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  await startOnce(out, manifest)
}

async function declare(root: string, out: string): Promise<void> {
  try {
    await run(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', out], {
      cwd: root,
    })
  } catch (error) {
    throw new Error(`The sources do not compile:\n${(error as { stdout?: string }).stdout ?? ''}`, {
      cause: error,
    })
  }
}

async function copyAssets(root: string, out: string): Promise<void> {
  const present = shipped.filter((name) => existsSync(join(root, name)))
  for (const name of present) await cp(join(root, name), join(out, name), { recursive: true })
  const isAsset = (path: string) => !path.endsWith('.ts')
  await cp(join(root, 'src'), join(out, 'src'), { recursive: true, filter: isAsset })
}

/** Where code from outside the sources enters them: the package's exports, and what bin/ imports. */
async function findDoors(root: string, manifest: Manifest): Promise<readonly string[]> {
  const exported = Object.values((manifest['exports'] ?? {}) as Readonly<Record<string, string>>)
  const doors = new Set(exported.filter((file) => file.endsWith('.ts')).map((file) => normalize(file)))
  for await (const path of glob('bin/*.js', { cwd: root })) {
    const source = await readFile(join(root, path), 'utf8')
    for (const [, file = ''] of source.matchAll(/['"](\.\.\/src\/[^'"]+\.ts)['"]/g))
      doors.add(normalize(join('bin', file)))
  }
  return [...doors]
}

/** tsc renames the specifiers of imports; those in `new URL('./x.ts', import.meta.url)`, bin/ and .d.ts are left to us. */
async function rewriteSpecifiers(out: string): Promise<void> {
  for await (const path of glob('{bin,src}/**/*.{js,ts}', { cwd: out })) {
    const file = join(out, path)
    const source = await readFile(file, 'utf8')
    const rewritten = compiledSpecifiers(source, (specifier) => existsSync(join(dirname(file), specifier)))
    if (rewritten !== source) await writeFile(file, rewritten)
  }
}

/** Ends relative `.ts` paths in string literals with `.js`, where that is a compiled file. */
export function compiledSpecifiers(source: string, exists: (specifier: string) => boolean): string {
  return source.replace(/(['"`])(\.{1,2}\/[^'"`\s]+)\.ts\1/g, (literal, quote: string, path: string) =>
    exists(`${path}.js`) ? `${quote}${path}.js${quote}` : literal,
  )
}

type Manifest = Readonly<Record<string, unknown>>

/**
 * The published package.json: doors lead to compiled files, nothing tells of the repository, and installed is only what
 * stays outside the bundle or is `typed`, seen by users' compilers.
 */
export function renderManifest(manifest: Manifest, typed: ReadonlySet<string> = new Set()): Manifest {
  const kept = Object.entries(manifest).filter(([field]) => !repositoryFields.includes(field))
  const doors = Object.entries((manifest['exports'] ?? {}) as Readonly<Record<string, string>>)
  const installed = Object.entries((manifest['dependencies'] ?? {}) as Readonly<Record<string, string>>)
  const dependencies = Object.fromEntries(installed.filter(([name]) => isOutside(name) || typed.has(name)))
  return {
    ...Object.fromEntries(kept),
    ...(installed.length === 0 ? {} : { dependencies }),
    exports: Object.fromEntries(doors.map(([door, file]) => [door, compiledDoor(file)])),
  }
}

/** Whether a package stays outside the bundle, and so must be installed beside it. */
function isOutside(name: string): boolean {
  return [...programs, ...drivers].some((each) =>
    each.endsWith('/') ? name.startsWith(each) : name === each,
  )
}

function compiledDoor(file: string): unknown {
  if (!file.endsWith('.ts')) return file
  const path = file.slice(0, -'.ts'.length)
  return { types: `${path}.d.ts`, default: `${path}.js` }
}

async function startOnce(out: string, manifest: Manifest): Promise<void> {
  const [program = ''] = Object.values((manifest['bin'] ?? {}) as Readonly<Record<string, string>>)
  const { stdout } = await run(process.execPath, [join(out, program), '--version'], { timeout: 30_000 })
  if (stdout.trim() !== manifest['version']) {
    throw new Error(`${program} --version printed “${stdout.trim()}” instead of ${manifest['version']}.`)
  }
}
