import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Converted, convertDocument } from '../../src/connectors/http/openapi/convert-document.ts'
import { OpenapiDocument } from '../../src/connectors/http/openapi/document.ts'
import { openapiConfig } from '../../src/connectors/http/openapi/openapi-config.ts'
import { parseText } from '../../src/connectors/http/openapi/parse-document.ts'
import { compileJsonSchema } from '../../src/execution/json-schema-validator.ts'

/** Documents that people really publish, which `(cd bench/rivals && npm ci)` brings, and how many operations each has. */
const modules = join(import.meta.dirname, '../../bench/rivals/node_modules')
const documents: readonly (readonly [name: string, path: string, operations: number])[] = [
  ['Blockfrost', '@blockfrost/openapi/openapi.yaml', 129],
  ['Dialogporten', '@digdir/dialogporten-schema/swagger.verified.json', 29],
  ['Directus', '@directus/specs/dist/openapi.json', 136],
  ['Figma', '@figma/rest-api-spec/openapi/openapi.yaml', 54],
  ['Ideal Postcodes', '@ideal-postcodes/openapi/dist/openapi.json', 31],
  ['ReadMe', '@readme/oas-examples/3.1/json/readme.json', 54],
  ['Star Trek', '@readme/oas-examples/3.0/json/star-trek.json', 120],
  ['Petstore', '@readme/oas-examples/3.0/json/petstore.json', 20],
  ['Train Travel', '@readme/oas-examples/3.1/json/train-travel.json', 7],
  ['styles', '@readme/oas-examples/3.1/json/parameters-style.json', 25],
  ['types', '@readme/oas-examples/3.0/json/schema-types.json', 21],
]
const areThere = existsSync(modules) && documents.every(([, path]) => existsSync(join(modules, path)))
const isRequired = process.env['WEIR_TEST_REQUIRE'] === 'all'
const schemaBytesMax = 32 * 1024
/** Of one conversion, on a machine that is busy with other things. */
const timeoutMs = 30_000

type Json = Record<string, unknown>

const convert = (root: Json): Converted =>
  convertDocument(new OpenapiDocument(root), {
    config: openapiConfig.parse({ source: 'x', toolsMax: 10_000, schemaBytesMax, validateAnswers: true }),
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    reserved: { headers: new Set(), query: new Set() },
  })
const namesOf = ({ plans }: Converted) =>
  Object.fromEntries(plans.map(({ method, name, description }) => [`${method} ${description}`, name]))
/** The same document, its paths and methods in another order. */
const turn = (root: Json): Json => {
  const turned = Object.entries(root['paths'] as Json).reverse()
  return {
    ...root,
    paths: Object.fromEntries(
      turned.map(([path, item]) => [path, Object.fromEntries(Object.entries(item as Json).reverse())]),
    ),
  }
}

if (!areThere)
  console.log(
    'skipped: documents of public APIs are not installed; `(cd bench/rivals && npm ci)` brings them',
  )

describe('public APIs', () => {
  const counts: string[] = []
  afterAll(() => console.log(['operations of public APIs:', ...counts].join('\n  ')))

  it.runIf(isRequired)('are all there', () => expect(areThere).toBe(true))

  it.runIf(areThere).each(documents)(
    'every operation of %s is a tool or is reported',
    async (name, path, operations) => {
      const root = (await parseText(
        readFileSync(join(modules, path), 'utf8'),
        new AbortController().signal,
      )) as Json
      const startedMs = performance.now()
      const converted = convert(root)
      const tookMs = Math.round(performance.now() - startedMs)
      const { plans, leftOut } = converted
      expect([converted.operations, plans.length + leftOut.length]).toEqual([operations, operations])
      expect(tookMs).toBeLessThan(timeoutMs)
      expect(
        leftOut
          .map(({ why }) => why)
          .filter(
            (why) =>
              !/^(its body (holds a file|is written as )|the API takes no |its parameter |its path holds a fragment)/.test(
                why,
              ),
          ),
      ).toEqual([])

      const names = plans.map((plan) => plan.name)
      expect([
        new Set(names).size,
        names.filter((one) => !/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(one) || one.length > 64),
      ]).toEqual([names.length, []])
      expect(namesOf(convert(turn(root)))).toEqual(namesOf(converted))

      for (const { input, output } of plans) {
        expect(JSON.stringify(input).length).toBeLessThanOrEqual(schemaBytesMax)
        expect(() => compileJsonSchema(input)({})).not.toThrow()
        if (output !== undefined)
          expect(() => compileJsonSchema(output)({ success: true, data: {} })).not.toThrow()
      }
      const bytes = plans.reduce((sum, { input }) => sum + JSON.stringify(input).length, 0)
      const short = plans.filter(({ description }) => description.includes('in less detail')).length
      counts.push(
        `${name}: ${operations}, tools ${plans.length} (${short} simplified), ${tookMs} ms, ${Math.round(bytes / Math.max(1, plans.length))} bytes a schema`,
      )
      for (const { operation, why } of leftOut) counts.push(`  ${operation}: ${why}`)
    },
    2 * timeoutMs,
  )
})
