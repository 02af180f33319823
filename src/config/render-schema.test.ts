import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { defineConnector } from '../core/connector.ts'
import { connectors } from './load.fixture.ts'
import { renderConfigSchema } from './render-schema.ts'

interface Tree {
  readonly name: string
  readonly children: readonly Tree[]
}
const tree: z.ZodType<Tree> = z.strictObject({
  name: z.string().describe('A name.'),
  get children() {
    return z.array(tree).describe('What lies below.')
  },
})
const open = () => Promise.reject(new Error('never opened here'))
const nested = defineConnector({
  type: 'nested',
  summary: 'Refers to itself',
  config: z.strictObject({
    tree: tree.describe('The tree.'),
    level: z.int().default(1).describe('How high.'),
  }),
  open,
})

const schema = renderConfigSchema([...connectors, nested])
const ajv = new Ajv2020({ strict: true, strictTypes: false })
addFormats.default(ajv)
const validate = ajv.compile(schema)
const accepts = (text: string) => validate(parseYaml(text))

describe('renderConfigSchema', () => {
  it.each([
    '{}',
    'connections: { a: { type: sql, databases: { d: { url: x, write: true, mode: ro } } } }',
    'connections: { a: { type: mcp, command: x }, b: { type: mcp, url: "https://x" } }',
    'connections: { a: { type: nested, tree: { name: a, children: [{ name: b, children: [] }] } } }',
    'connections: { a: { type: sql, databases: { d: { url: x, write: "${W}", pool: "${P:-3}", mode: "${M}" } } } }',
    'connections: { a: { type: mcp, url: "${URL}" } }',
    'connections: { a: { type: mcp, url: "https://x", pinning: quarantine, trustFirst: "${T}" } }',
    'connections: { a: { type: mcp, command: x, start: lazy }, b: { type: sql, start: "${WHEN}" } }',
    'server: { port: "${PORT}", sessionKey: "${KEY}" }',
    'log: { level: "${LEVEL:-info}" }',
    'policies: { "*": { timeout: 30s }, "a:b": { timeout: 1 } }',
    'mcpServers: { My Server: { command: x, autoApprove: [] } }',
    'servers: { a: { type: http, url: "https://x" } }',
    '$schema: ./weir.schema.json',
  ])('accepts %s', (text) => {
    expect(accepts(text), JSON.stringify(validate.errors)).toBe(true)
  })

  it.each([
    'polices: {}',
    'connections: { a: {} }',
    'connections: { a: { type: nope } }',
    'connections: { A: { type: sql } }',
    'connections: { a: { type: sql, databse: 1 } }',
    'connections: { a: { type: sql, start: lasy } }',
    'connections: { a: { type: lax, retris: 1 } }',
    'connections: { a: { type: mcp } }',
    'connections: { a: { type: sql, pinning: never } }',
    'connections: { a: { type: nested, tree: { name: a, children: [{ nam: b }] } } }',
    'server: { port: eighty }',
    'log: { level: verbose }',
    'policies: { "*": { timout: 1 } }',
    'mcpServers: { a: { type: ws } }',
  ])('refuses %s', (text) => {
    expect(accepts(text)).toBe(false)
  })

  it('describes every field, its own and the connectors’', () => {
    const root = renderConfigSchema([nested])
    const undescribed: string[] = []
    collectUndescribed(root, root['$defs'] as Definitions, '', undescribed)
    expect(undescribed).toEqual([])
    const bare = renderConfigSchema([connectors[0]!])
    collectUndescribed(bare, bare['$defs'] as Definitions, '', undescribed)
    expect(undescribed).toContain('/$defs/connection-sql/databases')
  })

  it('is the same every time, and plain JSON', () => {
    expect(renderConfigSchema([...connectors, nested])).toEqual(schema)
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
  })
})

interface Described {
  readonly description?: string
  readonly $ref?: string
}
type Definitions = Readonly<Record<string, Described>>

function collectUndescribed(node: unknown, definitions: Definitions, path: string, found: string[]): void {
  if (typeof node !== 'object' || node === null) return
  const { properties } = node as { properties?: Record<string, Described> }
  for (const [key, property] of Object.entries(properties ?? {})) {
    const target = definitions[property.$ref?.slice('#/$defs/'.length) ?? '']
    if ((property.description ?? target?.description ?? '').length < 5) found.push(`${path}/${key}`)
  }
  for (const [key, value] of Object.entries(node)) {
    collectUndescribed(value, definitions, `${path}/${key}`, found)
  }
}
