import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createLoopbackPerson } from './loopback-person.ts'

const url = 'https://as.example/auth?state=abc'
const person = (patienceMs = 10_000) => createLoopbackPerson({ send: () => {}, patienceMs })

describe('the place where people come back to', () => {
  it('is where it was before if that is free, else any other port; a fixed one has to be free', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const elsewhere = await person().meet({ port, isFixed: false })
    expect(elsewhere.redirectUri).not.toContain(`:${port}/`)
    await expect(person().meet({ port, isFixed: true })).rejects.toMatchObject({ code: 'PORT_TAKEN' })
    taken.close()
    await once(taken, 'close')
    const again = await person().meet({ port, isFixed: true })
    expect(again.redirectUri).toBe(`http://127.0.0.1:${port}/callback`)
    for (const visit of [elsewhere, again]) await visit.close()
    await again.close()
  })

  it('takes one answer, once, and shows a page that can load nothing', async () => {
    const visit = await person().meet()
    const answer = visit.go(url, new AbortController().signal)
    const page = await fetch(`${visit.redirectUri}?state=abc&code=x`)
    expect(page.headers.get('content-security-policy')).toBe("default-src 'none'")
    expect(Object.fromEntries(await answer)).toEqual({ state: 'abc', code: 'x' })
    expect((await fetch(`${visit.redirectUri}?state=abc&code=y`)).status).toBe(404)
    await visit.close()
  })

  it('is not kept open for ever, and not for a request without a state', async () => {
    const visit = await person(20).meet()
    await expect(visit.go(url, new AbortController().signal)).rejects.toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
    })
    await visit.close()
    const stateless = await person(200).meet()
    const answer = stateless.go('https://as.example/auth', new AbortController().signal)
    answer.catch(() => {})
    expect((await fetch(`${stateless.redirectUri}?state=&code=x`)).status).toBe(400)
    await expect(answer).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' })
    await stateless.close()
  })
})
