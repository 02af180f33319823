import { describe, expect, it } from 'vitest'
import { failure } from '../fixtures/upstream.fixture.ts'
import { echo, useWorlds } from './fixtures/authorised-world.fixture.ts'

const createWorld = useWorlds()

describe('a server that asks for a token', () => {
  it('names the cure where there is none, and serves after a person has agreed', async () => {
    const world = await createWorld()
    const error = await failure(world.open())
    expect(error).toMatchObject({
      code: 'UPSTREAM_AUTH',
      hint: expect.stringContaining('weir auth upstream'),
    })
    expect(await world.authorise()).toBe(4)
    const connection = await world.open()
    expect(await echo(connection, 'hi')).toMatchObject({ content: [{ type: 'text', text: 'hi' }] })
    expect(world.server.callers).toEqual(['ada'])
    expect(world.issuer.grants).toEqual([{ type: 'authorization_code', resource: world.server.url }])
  })
})
