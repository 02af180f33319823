import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { weirItself } from '../../../core/authorisation.ts'
import { silentLogger } from '../../../core/logger.ts'
import { openStore } from '../../../store/open-store.ts'
import { CredentialShelf } from './credential-shelf.ts'
import { echo, useWorlds } from './fixtures/authorised-world.fixture.ts'
import { HeadlessPerson } from './fixtures/headless-person.fixture.ts'

const createWorld = useWorlds()

it('S16: tokens lie encrypted in the real store, where two Weirs renew them once', async () => {
  const world = await createWorld()
  const baseDir = await mkdtemp(join(tmpdir(), 'weir-oauth-'))
  const open = () => openStore({ url: 'sqlite:./weir.db', baseDir, log: silentLogger })
  const stores = [await open(), await open()]
  try {
    const [one, two] = stores.map(({ credentials }) => credentials)
    const person = new HeadlessPerson()
    const first = await world.open({}, { person, credentials: one })
    const second = await world.open({}, { credentials: two })
    const shelf = new CredentialShelf(one!, 'upstream', world.server.url)
    const { issuer, tokens } = (await shelf.find(weirItself))!
    await shelf.put(weirItself, issuer, { ...tokens, obtainedAt: 0 })
    const { introspect } = world.issuer
    world.issuer.introspect = async (token) => (token === tokens.accessToken ? undefined : introspect(token))
    await Promise.all([first, second].flatMap((one) => ['a', 'b'].map((text) => echo(one, text))))
    expect(world.issuer.grants.map(({ type }) => type)).toEqual(['authorization_code', 'refresh_token'])
    expect(person.visited).toHaveLength(1)
    const renewed = (await shelf.find(weirItself))!.tokens
    const files = await Promise.all(
      (await readdir(baseDir)).map((name) => readFile(join(baseDir, name), 'latin1')),
    )
    expect(files.join('')).toContain('upstream')
    for (const secret of [tokens.accessToken, tokens.refreshToken, renewed.accessToken, renewed.refreshToken])
      expect(files.join('')).not.toContain(secret)
  } finally {
    for (const store of stores) await store.close()
    await rm(baseDir, { recursive: true, force: true })
  }
})
