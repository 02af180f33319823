import { describe, expect, it } from 'vitest'
import type { Connection } from '../../../core/connector.ts'
import { callTool, failure, findTool } from './call-tool.fixture.ts'

/** What the suite needs to know of a cloud. Containers `reports`, `many` and `secret` are there, and empty. */
export interface ObjectToolCase {
  readonly tool: string
  readonly kind: 'bucket' | 'container'
  /** Where the settings stand, as errors name them. */
  readonly configPrefix: string
  /** A connection that offers all operations, but for what `settings` say. */
  open(settings?: Readonly<Record<string, unknown>>): Promise<Connection>
  /** The provider's codes for what is not there, and whether it names the object's and the container's alike. */
  readonly codes: { readonly object: string; readonly container: string }
  /** Keys that lead nowhere else, however URL parsers read them. */
  readonly oddKeys: readonly string[]
}

/** One operation of the tool on `reports`, unless the input names another; on a connection with these settings. */
type Call = (
  operation: string,
  input?: object,
  settings?: Readonly<Record<string, unknown>>,
) => Promise<Record<string, unknown>>

/** Declares the suite that every tool for objects must pass, against its cloud or an emulator of it. */
export function describeObjectTool(given: ObjectToolCase): void {
  const { tool, kind } = given
  const call: Call = async (operation, input = {}, settings = {}) => {
    const connection = await given.open(settings)
    return await callTool(connection, tool, { operation, [kind]: 'reports', ...input })
  }
  describe(tool, () => {
    describeContents(call)
    describeLists(given)
    describeRefusals(given, call)
    describeSizes(given, call)
    describeOffers(given, call)
    describeKeys(given, call)
  })
}

function describeContents(call: Call): void {
  it('D0-050: puts, gets, lists and deletes text', async () => {
    const key = 'a/b ä+%?#&=.txt'
    expect(await call('put', { key, content: 'héllo', metadata: { owner: 'ada' } })).toEqual({
      success: true,
      message: `Object ${key} uploaded to reports`,
    })
    expect(await call('get', { key })).toEqual({
      content: 'héllo',
      media_type: 'text/plain; charset=utf-8',
      size: 6,
      last_modified: expect.stringMatching(/^\d{4}-.*Z$/),
      metadata: { owner: 'ada' },
    })
    expect(await call('list', { prefix: 'a/b ä+%' })).toEqual({ objects: [key], truncated: false })
    expect(await call('list', { prefix: 'c/' })).toEqual({ objects: [], truncated: false })
    const gone = { success: true, message: `Object ${key} deleted from reports` }
    expect(await call('delete', { key })).toEqual(gone)
    expect(await call('list', { prefix: 'a/' })).toEqual({ objects: [], truncated: false })
    expect(await call('delete', { key })).toEqual(gone)
  })

  it('B-16: bytes go in and out as base64, exactly', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => at * 31 + (at >> 8)))
    const base64 = bytes.toString('base64')
    await call('put', { key: 'bytes', content_base64: base64, media_type: 'image/png' })
    const got = await call('get', { key: 'bytes' })
    expect(got).toMatchObject({ media_type: 'image/png', content_base64: base64, size: 70_000 })
    expect(got).not.toHaveProperty('content')
    await call('put', { key: 'bytes', content: '' })
    expect(await call('get', { key: 'bytes' })).toMatchObject({ content: '', size: 0 })
    await call('delete', { key: 'bytes' })
  })
}

function describeLists({ tool, kind, open }: ObjectToolCase): void {
  it('B-16: lists beyond the first page, up to a bound, and goes on from there', async () => {
    const connection = await open({ objectsMax: 1_100 })
    const many = (operation: string, input = {}) =>
      callTool(connection, tool, { operation, [kind]: 'many', ...input })
    const keys = Array.from({ length: 1_102 }, (_, index) => `k${String(index).padStart(5, '0')}`)
    for (let at = 0; at < keys.length; at += 25) {
      await Promise.all(keys.slice(at, at + 25).map((key) => many('put', { key, content: '' })))
    }
    const first = await many('list')
    expect([first['objects'], first['truncated']]).toEqual([keys.slice(0, 1_100), true])
    expect(await many('list', { continuation: first['continuation'] })).toEqual({
      objects: keys.slice(1_100),
      truncated: false,
    })
    expect(await many('list', { limit: 2 })).toMatchObject({ objects: keys.slice(0, 2), truncated: true })
  }, 60_000)
}

function describeRefusals({ kind, codes }: ObjectToolCase, call: Call): void {
  it.each([
    ['get', 'object', { key: 'nothing' }],
    ['list', 'container', { [kind]: 'nowhere' }],
    ['put', 'container', { [kind]: 'nowhere', key: 'k', content: 'x' }],
    ['delete', 'container', { [kind]: 'nowhere', key: 'k' }],
  ] as const)('D0-060, B-16: %s where there is no such %s is an error with the provider’s code', async (operation, what, input) => {
    const error = await failure(call(operation, input))
    expect([error.code, error.data?.['error_code'], error.data?.['status']]).toEqual([
      'CLOUD_ERROR',
      codes[what],
      404,
    ])
    expect(error.data?.['error']).toMatch(/exist|No such/)
  })
}

function describeSizes({ configPrefix }: ObjectToolCase, call: Call): void {
  it('refuses objects beyond its bound, both ways, and says where the bound is', async () => {
    const hint = `An operator can raise \`${configPrefix}objectBytesMax\`.`
    const small = { objectBytesMax: 10 }
    await call('put', { key: 'eleven', content: 'x'.repeat(11) })
    const get = await failure(call('get', { key: 'eleven' }, small))
    expect([get.code, get.hint]).toEqual(['RESPONSE_TOO_LARGE', hint])
    await call('put', { key: 'eleven', content: 'x'.repeat(10) })
    expect(await call('get', { key: 'eleven' }, small)).toMatchObject({ size: 10 })
    const put = await failure(call('put', { key: 'x', content: 'é'.repeat(6) }, small))
    expect([put.code, put.message, put.hint]).toEqual([
      'INVALID_INPUT',
      'The object has 12 bytes, and 10 are allowed.',
      hint,
    ])
    await call('delete', { key: 'eleven' })
  })
}

function describeOffers({ tool, kind, configPrefix, open }: ObjectToolCase, call: Call): void {
  it('B-16: is for reading alone unless the configuration says more', async () => {
    const connection = await open({ operations: undefined })
    expect(findTool(connection, tool).effect).toBe('read')
    expect(findTool(await open(), tool).effect).toBe('destructive')
    const put = callTool(connection, tool, { operation: 'put', [kind]: 'reports', key: 'k' })
    await expect(put).rejects.toThrow(/operation/)
    await call('put', { key: 'stays', content: 'x' })
    const remove = findTool(connection, tool).run(
      { operation: 'delete', [kind]: 'reports', key: 'stays' },
      {} as never,
    )
    expect((await failure(remove)).code).toBe('INVALID_INPUT')
    expect(await call('get', { key: 'stays' })).toMatchObject({ content: 'x' })
    await call('delete', { key: 'stays' })
  })

  it('C-25: refuses what is not on offer before anything is sent', async () => {
    const only = { [`${kind}s`]: ['rep*'] }
    for (const [operation, input] of [
      ['list', {}],
      ['get', { key: 'k' }],
      ['put', { key: 'k', content: 'x' }],
      ['delete', { key: 'k' }],
    ] as const) {
      const error = await failure(call(operation, { [kind]: 'secret', ...input }, only))
      expect([error.code, error.data]).toEqual([
        'CLOUD_NOT_ALLOWED',
        {
          [kind]: 'secret',
          allowed: ['rep*'],
          configKey: `${configPrefix}${kind}s`,
          sent: false,
        },
      ])
    }
    expect(await call('list', { [kind]: 'secret' })).toMatchObject({ objects: [] })
    expect(await call('list', {}, only)).toMatchObject({ objects: [] })
  })
}

function describeKeys({ kind, oddKeys }: ObjectToolCase, call: Call): void {
  it.each([
    '../secret/k',
    'a/../../secret/k',
    '..',
    '.',
    'a/..',
    '%2e%2e/secret/k',
    'a/%2E./k',
    '..\\secret\\k',
    '/secret/k',
    ...oddKeys,
  ])('S12: a key such as %s reaches its own object or none, and never another container', async (key) => {
    const only = { [`${kind}s`]: ['reports'] }
    const error = await call('put', { key, content: 'x' }, only).then(
      () => undefined,
      (thrown: { code: string }) => thrown.code,
    )
    expect([undefined, 'URL_NOT_ALLOWED']).toContain(error)
    expect(await call('list', { [kind]: 'secret' })).toMatchObject({ objects: [] })
    const { objects } = await call('list')
    expect(objects).toEqual(error === undefined ? [key] : [])
    if (error === undefined) await call('delete', { key })
  })
}
