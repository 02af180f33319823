import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, posix } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { notes } from '../examples/connector/notes.ts'
import { builtInConnectors } from '../scripts/built-in-connectors.ts'
import { embedWeir, type Weir } from '../src/app.ts'
import { parseConfig } from '../src/config/load.ts'
import { describeConnector } from '../src/testing/describe-connector.ts'
import { readTree } from './house/tree.ts'

const root = join(import.meta.dirname, '..')
const tree = readTree(root)
const run = promisify(execFile)
const pages = [...tree.keys()].filter((path) => path.endsWith('.md')).sort()
const folder = mkdtempSync(join(tmpdir(), 'weir-docs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A fenced block: its language, the words after it, and its text. */
interface Fence {
  readonly page: string
  readonly line: number
  readonly language: string
  readonly words: readonly string[]
  readonly text: string
}

function listFences(page: string): readonly Fence[] {
  const source = tree.get(page)!
  return [...source.matchAll(/^```(\S*)(.*)\n((?:(?!```).*\n)*)```$/gm)].map((match) => ({
    page,
    line: source.slice(0, match.index).split('\n').length,
    language: match[1]!,
    words: match[2]!.trim().split(/\s+/).filter(Boolean),
    text: match[3]!,
  }))
}

const fences = pages.flatMap(listFences)
const placeOf = ({ page, line }: Fence) => `${page}:${line}`
const wordValue = ({ words }: Fence, key: string) =>
  words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1)

/** Relative links outside code, as paths from the root. */
function listLinks(page: string): readonly { target: string; path: string; anchor: string | undefined }[] {
  const prose = tree
    .get(page)!
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#')
      return { target, path: path === '' ? page : posix.join(posix.dirname(page), path), anchor }
    })
}

/** The anchors GitHub gives a page's headings. */
function listAnchors(page: string): readonly string[] {
  const headings = [...tree.get(page)!.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe('the pages', () => {
  it.each(pages)('%s has no dead link', (page) => {
    const dead = listLinks(page).filter(({ path, anchor }) => {
      if (!existsSync(join(root, path))) return true
      return anchor !== undefined && !listAnchors(path).includes(anchor)
    })
    expect(dead.map(({ target }) => target)).toEqual([])
  })

  it('of docs/ are all linked from somewhere', () => {
    const linked = new Set(pages.flatMap((page) => listLinks(page).map(({ path }) => path)))
    // Decisions are linked as a folder.
    const read = pages.filter((page) => page.startsWith('docs/') && !page.startsWith('docs/adr/'))
    expect(read.filter((page) => !linked.has(page))).toEqual([])
  })

  it('mark their code with words that mean something', () => {
    const known = /^(?:run|later|output|returned|terminal|serve=\d+|file=\S+)$/
    expect(fences.filter(({ words }) => !words.every((word) => known.test(word))).map(placeOf)).toEqual([])
  })

  it('show the examples as they are', () => {
    const shown = fences.filter((fence) => wordValue(fence, 'file')?.startsWith('examples/'))
    expect(shown.length).toBeGreaterThan(5)
    for (const fence of shown) expect(fence.text, placeOf(fence)).toBe(tree.get(wordValue(fence, 'file')!))
  })

  it.each(
    fences.filter(({ language }) => language === 'json').map((fence) => [placeOf(fence), fence] as const),
  )('%s is JSON', (_, { text }) => {
    expect(() => JSON.parse(text)).not.toThrow()
  })

  it.each(
    fences
      .filter(({ language }) => language === 'yaml')
      .map((fence) => [placeOf(fence), fence.text] as const),
  )('%s is a valid configuration', (_, text) => {
    expect(checkConfig(text)).toEqual([])
  })
})

/** Loads a configuration for real, with something in place of every secret; gives its warnings. */
function checkConfig(text: string): readonly string[] {
  const names = [...text.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name]) => [name!, `value-of-${name}`])
  const { warnings } = parseConfig({
    text,
    path: join(folder, 'weir.yaml'),
    env: Object.fromEntries(names),
    connectors: builtInConnectors,
    readFile: () => 'text-of-a-file',
  })
  // A piece of a file may well have no connections, or policies for those of another piece.
  return warnings.filter((warning) => !/no connections|no connection is named/.test(warning))
}

describe('the examples', () => {
  const configs = [...tree.keys()].filter((path) => /^examples\/.*\/(?:weir\.yaml|mcp\.json)$/.test(path))
  const schema = new Ajv2020({ strict: false, validateFormats: false }).compile(
    JSON.parse(tree.get('weir.schema.json')!) as object,
  )

  it.each(configs)('%s is valid for Weir and for editors', (path) => {
    const text = tree.get(path)!
    expect(checkConfig(text)).toEqual([])
    schema(parseYaml(text))
    expect(schema.errors ?? []).toEqual([])
    const named = /yaml-language-server: \$schema=(\S+)/.exec(text)?.[1]
    if (named !== undefined) expect(posix.join(dirname(path), named)).toBe('weir.schema.json')
  })

  describe('SQLite, served', () => {
    let weir: Weir
    let url: string
    beforeAll(async () => {
      const shop = join(folder, 'shop')
      mkdirSync(shop)
      await run(process.execPath, [join(root, 'examples/sqlite/seed.ts'), shop])
      const config = { ...parseYaml(tree.get('examples/sqlite/weir.yaml')!), log: { level: 'silent' } }
      weir = embedWeir({ baseDir: shop, config })
      url = (await weir.listen({ port: 0 })).url
    })
    afterAll(() => weir.close(0))

    it('lets the SDK client list and call its tools', async () => {
      const client = join(root, 'examples/sdk-client/client.ts')
      const { stdout } = await run(process.execPath, [client, `${url}/mcp`])
      expect(stdout).toContain('database__execute_transaction: Runs SQL statements')
      expect(stdout).toContain('"rows":[{"n":3}]')
    })

    it('answers in the REST dialect as its page has it', async () => {
      const [discovery, request, answer, refusal] = fences
        .filter(({ page, language }) => page === 'docs/reference/rest.md' && language === 'json')
        .map(({ text }) => JSON.parse(text) as Record<string, unknown>)
      const discovered = (await (await fetch(`${url}/mcp/discover`)).json()) as typeof discovery
      expect(discovered).toMatchObject({
        ...discovery,
        version: expect.any(String),
        tools: expect.any(Array),
      })
      expect(shapeOf(discovered)).toEqual(shapeOf(discovery))
      expect(await post(`${url}/mcp/execute`, request)).toMatchObject({ ...answer })
      const refused = await post(`${url}/mcp/execute`, { tool: [] })
      expect(refused).toEqual({ ...refusal, request_id: expect.any(String) })
    })
  })

  it('declared statements are tools that find and change one row', async () => {
    const desk = join(folder, 'assignments')
    mkdirSync(desk)
    await run(process.execPath, [join(root, 'examples/assignments/seed.ts'), desk])
    const config = { ...parseYaml(tree.get('examples/assignments/weir.yaml')!), log: { level: 'silent' } }
    const weir = embedWeir({ baseDir: desk, config })
    const { url } = await weir.listen({ port: 0 })
    const tools = [
      { tool_slug: 'desk:update_assignment', arguments: { assignment_id: 2, status: 'done' } },
      { tool_slug: 'get_assignment', arguments: { assignment_id: 2 } },
      { tool_slug: 'list_assignments', arguments: { user: 'ada' } },
    ]
    const mended = { id: 2, user: 'ada', title: 'Mend the sluice', status: 'done', due: null }
    const results = [
      { response: { success: true, data: mended } },
      { response: { success: true, data: mended } },
      { response: { rows: [{ id: 1, title: 'Measure the river' }], count: 1 } },
    ]
    expect(await post(`${url}/mcp/execute`, { tools })).toMatchObject({ data: { results } })
    await weir.close(0)
  })

  it('the program that embeds Weir serves its own connector until it is stopped', async () => {
    const child = spawn(process.execPath, [join(root, 'examples/embed/embed.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    try {
      const lines: string[] = []
      for await (const line of createInterface(child.stdout)) {
        if (lines.push(line) === 2) break
      }
      const [state, url = ''] = lines
      expect(state).toBe('notes is up with 2 tools')
      const tools = [
        { tool_slug: 'notes:list_notes' },
        { tool_slug: 'notes:read_note', arguments: { name: 'about-weirs' } },
        { tool_slug: 'notes:read_note', arguments: { name: '../notes' } },
      ]
      const results = [
        { response: { notes: ['about-weirs'] } },
        { response: { content: [{ type: 'text', text: 'Weir measures and regulates.\n' }] } },
        { successful: false, error_detail: { code: 'INVALID_INPUT' } },
      ]
      expect(await post(`${url}/execute`, { tools })).toMatchObject({ data: { results } })
    } finally {
      child.kill('SIGTERM')
    }
    expect(await exited).toEqual([0, null])
  })
})

async function post(url: string, body: unknown): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json()
}

/** The fields of a discovery and of its tool `database:execute_query`. */
function shapeOf(discovery: unknown): readonly unknown[] {
  const { tools, ...whole } = discovery as { tools: readonly { name: string }[] }
  const tool = tools.find(({ name }) => name === 'database:execute_query') ?? {}
  return [Object.keys(whole), Object.keys(tool)]
}

describe('the example of a connector', () => {
  beforeAll(() => cpSync(join(root, 'examples/connector/notes'), join(folder, 'notes'), { recursive: true }))
  describeConnector(notes, {
    baseDir: () => folder,
    config: () => ({ folder: './notes' }),
    deadConfig: () => ({ folder: './nowhere' }),
    badConfigs: [
      { config: {}, field: 'folder' },
      { config: { folder: './notes', depth: 1 }, field: 'depth' },
    ],
  })
})

describe('the tutorial', () => {
  const served: ChildProcess[] = []
  afterAll(async () => {
    for (const child of served) {
      if (child.exitCode !== null) continue
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    }
  })

  it.each([
    ['docs/tutorial.md', 15],
    ['docs/tutorial/protect-a-write-tool.md', 15],
  ])('%s does what it says, step by step', { timeout: 60_000 }, async (page, stepsMin) => {
    const desk = await setUpDesk()
    const steps = fences.filter((fence) => fence.page === page && fence.words.length > 0)
    let output = ''
    let later: Promise<string> | undefined
    for (const step of steps) {
      if (step.text.includes(shownApproval)) await desk.learnApproval()
      const text = desk.replaceNames(step.text)
      const [file, port] = [wordValue(step, 'file'), wordValue(step, 'serve')]
      if (file !== undefined) writeFileSync(join(desk.folder, file), text)
      else if (port !== undefined) {
        served.push(desk.serve(text))
        await waitForPort(Number(desk.replaceNames(port)))
      } else if (step.words.includes('run')) output = await desk.run(text)
      else if (step.words.includes('later')) later = desk.run(text)
      else if (step.words.includes('terminal')) await desk.sawOnTerminal(toPattern(text))
      else {
        if (step.words.includes('returned')) output = (await later) ?? ''
        expect(output, placeOf(step)).toMatch(toPattern(text))
      }
    }
    expect(steps.length).toBeGreaterThan(stepsMin)
  })
})

/** The approval that a page shows, in whose place the real one is put. */
const shownApproval = '3f9c1e7a52d04b8896c0a1d2e3f40516'
/** Makes a terminal for a command, where it is installed. */
const terminalMaker = '/usr/bin/script'

/** An empty folder with `weir` on the path, and free ports in place of those that the tutorial names. */
async function setUpDesk() {
  const desk = mkdtempSync(join(folder, 'gateway-'))
  const bin = join(folder, 'bin')
  if (!existsSync(bin)) {
    mkdirSync(bin)
    symlinkSync(join(root, 'bin/weir.js'), join(bin, 'weir'))
  }
  const names = new Map<string, string>()
  for (const named of ['8000', '9000']) names.set(named, String(await findFreePort()))
  const PATH = [bin, dirname(process.execPath), process.env['PATH']].join(delimiter)
  const options = { cwd: desk, env: { ...process.env, PATH } }
  const runHere = async (text: string) => (await run('sh', ['-ec', `exec 2>&1\n${text}`], options)).stdout
  let terminal: string | undefined
  return {
    folder: desk,
    replaceNames: (text: string) =>
      [...names].reduce((replaced, [named, real]) => replaced.replaceAll(named, real), text),
    run: runHere,
    // With exec the child is the server itself, and its end is the server's.
    serve(text: string) {
      if (!existsSync(terminalMaker))
        return spawn('sh', ['-ec', `exec ${text}`], { ...options, stdio: 'ignore' })
      terminal = ''
      const child = spawn(terminalMaker, ['-qefc', `exec ${text}`, '/dev/null'], {
        ...options,
        stdio: 'pipe',
      })
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        terminal += chunk
      })
      return child
    },
    /** Passes over machines where no terminal could be made. */
    async sawOnTerminal(pattern: RegExp) {
      if (terminal !== undefined) await vi.waitFor(() => expect(terminal).toMatch(pattern), 10_000)
    },
    /** Puts the approval that waits in the place of the one that the page shows. */
    async learnApproval() {
      while (!names.has(shownApproval)) {
        const { approvals } = JSON.parse(await runHere('weir approvals --json')) as {
          approvals: { id: string }[]
        }
        if (approvals[0] !== undefined) names.set(shownApproval, approvals[0].id)
      }
    },
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Another process opens it, which nothing tells us of. */
async function waitForPort(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isOpen) return
    await wait(50)
  }
  throw new Error(`Nothing listens on port ${port}.`)
}

/** What a page shows of an output, where `…` stands for anything on the line. */
function toPattern(shown: string): RegExp {
  const parts = shown.trimEnd().split('…')
  return new RegExp(parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*'))
}
