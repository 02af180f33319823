import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPackage, compiledSpecifiers, renderManifest } from '../../scripts/build-package.ts'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

/** A repository with everything that a build can get wrong: a worker, an asset, tests, a door with types. */
const repository: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({
    name: 'small',
    version: '1.2.3',
    type: 'module',
    private: true,
    workspaces: ['runtime'],
    scripts: { test: 'vitest' },
    dependencies: {
      ...{ yaml: '2', pg: '8', '@aws-sdk/client-s3': '3' },
      '@modelcontextprotocol/server-everything': '2026',
    },
    devDependencies: { vitest: '5' },
    bin: { small: 'bin/small.js' },
    exports: { '.': './src/app.ts' },
  }),
  'bin/small.js': `await import('../src/cli/main.ts')`,
  'src/app.ts': `export { version } from './core/version.ts'\nexport type { Version } from './core/version.ts'`,
  'src/core/version.ts': [
    'export interface Version { readonly text: string }',
    `const worker = new URL('./version.worker.ts', import.meta.url)`,
    'export const version = (): Promise<Version> => new Promise((resolve) => new Worker(worker).once("message", resolve))',
    `import { Worker } from 'node:worker_threads'`,
  ].join('\n'),
  'src/core/version.worker.ts': [
    `import { readFileSync } from 'node:fs'`,
    `import { parentPort } from 'node:worker_threads'`,
    `const text = readFileSync(new URL('./version.txt', import.meta.url), 'utf8').trim()`,
    'parentPort?.postMessage({ text })',
  ].join('\n'),
  'src/core/version.txt': '1.2.3\n',
  'src/core/version.test.ts': `throw new Error('a test was shipped')`,
  'src/core/crash.fixture.ts': `throw new Error('a fixture was shipped')`,
  'src/cli/main.ts': [
    `import { parse } from 'yaml'`,
    `import { version } from '../app.ts'`,
    `process.stdout.write(parse((await version()).text.replace(/^/, 'text: v')).text.slice(1))`,
  ].join('\n'),
  LICENSE: 'Free.',
}

describe('a built package', () => {
  let folder = ''
  let out = ''

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-build-'))
    out = join(folder, 'dist')
    await write(folder, repository)
    for (const config of ['tsconfig.json', 'tsconfig.build.json'])
      await cp(join(root, config), join(folder, config))
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    await mkdir(out)
    await writeFile(join(out, 'stale.js'), '')
    await buildPackage(folder, out)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('holds what runs and nothing else', async () => {
    const entries = await readdir(out, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    expect(files.map((file) => file.slice(out.length + 1)).sort()).toEqual([
      'LICENSE',
      'THIRD_PARTY_NOTICES.txt',
      'bin/small.js',
      'package.json',
      'src/app.d.ts',
      'src/app.js',
      expect.stringMatching(/^src\/chunk-[\w-]+\.js$/),
      'src/cli/main.d.ts',
      'src/cli/main.js',
      'src/core/version.d.ts',
      'src/core/version.txt',
      'src/core/version.worker.d.ts',
      'src/core/version.worker.js',
    ])
  })

  it('holds the packages it imports, and their licences', async () => {
    const notices = await readFile(join(out, 'THIRD_PARTY_NOTICES.txt'), 'utf8')
    expect(notices).toMatch(/^yaml [\d.]+ \(ISC\)$/m)
    expect(notices).toContain('Permission to use, copy, modify')
    expect(notices).not.toContain('server-everything')
  })

  it('starts elsewhere, its workers too', async () => {
    const elsewhere = join(folder, 'elsewhere/node_modules/small')
    await cp(out, elsewhere, { recursive: true })
    const { stdout } = await run(process.execPath, [join(elsewhere, 'bin/small.js')])
    expect(stdout).toBe('1.2.3')
  })

  it('gives its types to a program that imports it', async () => {
    const user = join(folder, 'user')
    const options = { module: 'nodenext', strict: true, noEmit: true, types: [] }
    await write(user, {
      'package.json': '{"type": "module"}',
      'tsconfig.json': JSON.stringify({ compilerOptions: options, files: ['right.ts', 'wrong.ts'] }),
      'right.ts': `import { version, type Version } from 'small'\nexport const mine: Promise<Version> = version()`,
      'wrong.ts': `import { version } from 'small'\nexport const mine: Promise<number> = version()`,
    })
    await cp(out, join(user, 'node_modules/small'), { recursive: true })
    const tsc = run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      user,
      '--pretty',
      'false',
    ])
    const { stdout } = await tsc.catch((error: { stdout: string }) => error)
    expect(stdout.match(/\w+\.ts\(\d+,\d+\): error TS\d+/g)).toEqual(['wrong.ts(2,14): error TS2322'])
  })

  it('tells nothing of the repository', async () => {
    expect(JSON.parse(await readFile(join(out, 'package.json'), 'utf8'))).toEqual({
      name: 'small',
      version: '1.2.3',
      type: 'module',
      // What is in the bundle need not be installed; what is run as a program must be, and what connections load.
      dependencies: {
        ...{ pg: '8', '@aws-sdk/client-s3': '3' },
        '@modelcontextprotocol/server-everything': '2026',
      },
      bin: { small: 'bin/small.js' },
      exports: { '.': { types: './src/app.d.ts', default: './src/app.js' } },
    })
  })

  it('is not made of sources that do not compile', async () => {
    await write(folder, { 'src/core/wrong.ts': 'export const wrong: number = "text"' })
    await expect(buildPackage(folder, join(folder, 'wrong'))).rejects.toThrow(/do not compile:\n.*wrong\.ts/)
    await rm(join(folder, 'src/core/wrong.ts'))
  })

  it('is refused where it does not start', async () => {
    await write(folder, { 'src/core/version.txt': '9.9.9' })
    await expect(buildPackage(folder, join(folder, 'wrong'))).rejects.toThrow(
      'printed “9.9.9” instead of 1.2.3',
    )
  })
})

describe('compiledSpecifiers', () => {
  it('renames what is compiled and leaves other text alone', () => {
    const source = `import('./a.ts'); new URL("../b.worker.ts", u); '.ts'; './text.ts'; './a.tsx'; 'a.ts'`
    const exists = (specifier: string) => ['./a.js', '../b.worker.js'].includes(specifier)
    expect(compiledSpecifiers(source, exists)).toBe(
      `import('./a.js'); new URL("../b.worker.js", u); '.ts'; './text.ts'; './a.tsx'; 'a.ts'`,
    )
  })
})

describe('renderManifest', () => {
  it('leaves doors to plain files as they are', () => {
    const doors = { './schema': './weir.schema.json' }
    expect(renderManifest({ exports: doors })).toEqual({ exports: doors })
  })
})

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}
