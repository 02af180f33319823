import { describe, expect, it } from 'vitest'
import type { Effect } from '../../../core/tool.ts'
import { convertDocument } from './convert-document.ts'
import { OpenapiDocument } from './document.ts'
import { openapiConfig } from './openapi-config.ts'

type Json = Record<string, unknown>

const petPaths: Json = {
  '/pets': {
    get: { operationId: 'listPets', tags: ['pets'] },
    post: { operationId: 'createPet', tags: ['pets'] },
  },
  '/pets/{id}': {
    parameters: [{ name: 'id', in: 'path', required: true }],
    get: { operationId: 'showPetById', tags: ['pets', 'single'] },
    delete: { tags: ['single'] },
  },
  '/owners': { get: { operationId: 'list-owners' } },
}
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const convert = (paths: Json, config: Json = {}, more: { taken?: ReadonlySet<string> } = {}) =>
  convertDocument(new OpenapiDocument({ openapi: '3.1.0', paths }), {
    config: openapiConfig.parse({ source: 'x', ...config }),
    methods,
    reserved: { headers: new Set(), query: new Set() },
    ...more,
  })
const named = (...args: Parameters<typeof convert>) =>
  convert(...args)
    .plans.map(({ name }) => name)
    .sort()
const byKey = (paths: Json, config?: Json) =>
  Object.fromEntries(convert(paths, config).plans.map(({ name, description }) => [description, name]))

describe('a selection', () => {
  it.each<[Json, string[]]>([
    [{}, ['create_pet', 'delete_pets_id', 'list_owners', 'list_pets', 'show_pet_by_id']],
    [{ tags: ['single'] }, ['delete_pets_id', 'show_pet_by_id']],
    [{ tags: ['single', 'pets'] }, ['create_pet', 'delete_pets_id', 'list_pets', 'show_pet_by_id']],
    [{ paths: ['/pets/*'] }, ['delete_pets_id', 'show_pet_by_id']],
    [{ operations: ['list*'] }, ['list_owners', 'list_pets']],
    [{ operations: ['GET /pets*'] }, ['list_pets', 'show_pet_by_id']],
    [{ exclude: ['DELETE *', '/owners', 'create*'] }, ['list_pets', 'show_pet_by_id']],
    [{ tags: ['pets'], operations: ['list*'] }, ['list_pets']],
    [{ prefix: 'zoo', paths: ['/owners'] }, ['zoo_list_owners']],
  ])('%j', (config, names) => {
    expect(named(petPaths, config)).toEqual(names)
  })

  it('tells the words that fit nothing, with the nearest that would', () => {
    const config = {
      tags: ['pets', 'singel'],
      paths: ['/pet'],
      exclude: ['nothing'],
      effects: { listPet: 'write' },
    }
    expect(convert(petPaths, config).idle).toEqual([
      { key: 'tags', selector: 'singel', nearest: 'single' },
      { key: 'paths', selector: '/pet', nearest: '/pets' },
      { key: 'exclude', selector: 'nothing' },
      { key: 'effects', selector: 'listPet', nearest: 'listPets' },
    ])
  })

  it('of too many says how many, and how to have fewer', () => {
    expect(() => convert(petPaths, { toolsMax: 4 })).toThrow(
      expect.objectContaining({
        message: 'it selects 5 operations, and toolsMax is 4',
        hint: expect.stringContaining('The tags are pets (3), single (2).'),
      }),
    )
    expect(named(petPaths, { toolsMax: 4, tags: ['pets'] })).toHaveLength(3)
  })

  it('of more operations than anybody could use is refused', () => {
    const many = Object.fromEntries(Array.from({ length: 20_001 }, (_, at) => [`/${at}`, { get: {} }]))
    expect(() => convert(many)).toThrow('it has more than 20000 operations')
  })
})

describe('names', () => {
  it.each([
    ['getPetById', 'get_pet_by_id'],
    ['PetsAPI_list-all.v2', 'pets_api_list_all_v2'],
    ['GET HTTPServer', 'get_http_server'],
    ['größeId', 'gro_e_id'],
    ['2fa', 'op_2fa'],
    ['列表', 'get_a_b'],
    ['', 'get_a_b'],
  ])('%j becomes %s', (operationId, name) => {
    expect(named({ '/a/b': { get: { operationId } } })).toEqual([name])
  })

  it('are unique, of at most 64 characters, and the same whatever the order or the selection', () => {
    const long = 'veryLong'.repeat(20)
    const paths: Json = {
      '/a': {
        get: { operationId: 'same' },
        post: { operationId: 'Same' },
        put: { operationId: 'http_request' },
      },
      '/b': { get: { operationId: long }, post: { operationId: `${long}2` } },
      '/c/{x}': { get: {}, parameters: [{ name: 'x', in: 'path' }] },
      '/c/x': { get: {} },
    }
    const taken = new Set(['http_request'])
    const names = named(paths, {}, { taken })
    expect(names.every((name) => /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name) && name.length <= 64)).toBe(true)
    expect([new Set(names).size, names.includes('http_request')]).toEqual([7, false])
    const turned = Object.fromEntries(Object.entries(paths).reverse())
    expect(byKey(turned)).toEqual(byKey(paths))
    expect(byKey(paths)).toMatchObject(byKey(paths, { paths: ['/a'], operations: ['same', 'POST *'] }))
  })
})

describe('effects', () => {
  it.each<[string, Json, Json, Effect]>([
    ['the method says', {}, {}, 'write'],
    ['the configuration says, by id', {}, { search: 'read' }, 'read'],
    ['the configuration says, by method and path', {}, { 'POST /s': 'read' }, 'read'],
    ['the document may say worse', { 'x-weir-effect': 'destructive' }, {}, 'destructive'],
    ['the document may not say better', { 'x-weir-effect': 'read' }, {}, 'write'],
    ['what the document says is no effect', { 'x-weir-effect': 'harmless' }, {}, 'write'],
    ['the configuration has the last word', { 'x-weir-effect': 'destructive' }, { search: 'read' }, 'read'],
  ])('%s', (_who, more, effects, effect) => {
    const { plans } = convert({ '/s': { post: { operationId: 'search', ...more } } }, { effects })
    expect(plans[0]?.effect).toBe(effect)
  })
})

describe('what is no tool', () => {
  const place = { name: 'x', in: 'path', required: true }
  it.each<[string, Json, string]>([
    ['/a#b', { get: {} }, 'its path holds a fragment'],
    ['/a?b={c}', { get: {} }, 'its path holds a query with parameters'],
    ['/a/{x}', { get: {} }, 'its path names {x}, which is no parameter'],
    ['/a', { get: { parameters: [place] } }, 'its path has no place for {x}'],
    ['/a', { options: {} }, 'the API takes no OPTIONS'],
    [
      '/a/{x}',
      { get: { parameters: [{ ...place, style: 'matrix' }] } },
      'its parameter x is written in the style "matrix"',
    ],
    ['/a', { get: { parameters: [{ in: 'query' }] } }, 'it has a parameter without a name'],
    ['/a', { get: { parameters: [{ name: 'x', in: 'body' }] } }, 'its parameter x is in "body"'],
    [
      '/a',
      { get: { parameters: [{ name: 'x', in: 'query', content: { 'text/csv': {} } }] } },
      'its parameter x is written as text/csv',
    ],
    ['/a', { get: { parameters: [{ $ref: '#/none' }] } }, 'it refers to "#/none", which cannot be read'],
    ['/a', { get: { parameters: [null] } }, 'it has a part that is no object'],
    ['/a', { post: { requestBody: { content: { 'text/xml': {} } } } }, 'its body is written as text/xml'],
    [
      '/a',
      { get: { parameters: Array.from({ length: 201 }, (_, at) => ({ name: `p${at}`, in: 'query' })) } },
      'it has more than 200 parameters',
    ],
  ])('%s with %.60j', (path, item, why) => {
    const { plans, leftOut } = convert({ [path]: item, '/good': { get: {} } })
    expect([plans.map(({ name }) => name), leftOut.map((one) => one.why)]).toEqual([['get_good'], [why]])
  })

  it('of another version is refused, with what is read', () => {
    const open = (root: Json) => () => new OpenapiDocument(root)
    expect(open({ swagger: '2.0' })).toThrow('it is of version "2.0", and only OpenAPI 3.0 and 3.1 are read')
    expect(open({})).toThrow('it does not say `openapi: 3.…`')
  })
})
