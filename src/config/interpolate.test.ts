import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WeirError } from '../core/error.ts'
import { type InterpolateContext, interpolate, type ReadText } from './interpolate.ts'

const files: Readonly<Record<string, string>> = { token: 'from-file\n', two: 'a\n\n', crlf: 'a\r\n' }

const readFile: ReadText = (path) => {
  const text = files[path]
  if (text === undefined) throw new Error('it does not exist')
  return text
}

const context: InterpolateContext = {
  env: { A: 'va', B: 'vb', EMPTY: '', TRICK: '${A} $$ ${file:token}', NAME: 'token', UNDEFINED: undefined },
  readFile,
}

function failure(run: () => unknown): WeirError {
  try {
    run()
  } catch (error) {
    if (error instanceof WeirError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('interpolate', () => {
  it.each([
    ['plain', 'plain'],
    ['${A}', 'va'],
    ['x${A}y${B}z', 'xvayvbz'],
    ['${A}${B}', 'vavb'],
    ['${EMPTY}', ''],
    ['${NONE:-x}', 'x'],
    ['${NONE:-}', ''],
    ['${EMPTY:-x}', 'x'],
    ['${UNDEFINED:-x}', 'x'],
    ['${A:-x}', 'va'],
    ['${NONE:-${B}}', 'vb'],
    ['${NONE:-${NONE2:-x}}', 'x'],
    ['${NONE:-a${NONE2:-${A}}b}', 'avab'],
    ['${NONE:-http://h:1/p?q=:-}', 'http://h:1/p?q=:-'],
    ['${NONE:-$$x}', '$x'],
    ['${NONE:-{"a":1}}', '{"a":1}'],
    ['$$', '$'],
    ['$${A}', '${A}'],
    ['$$$${A}', '$${A}'],
    ['$$${A}', '$va'],
    ['$', '$'],
    ['a$b $1 $', 'a$b $1 $'],
    ['}{', '}{'],
    ['${file:token}', 'from-file'],
    ['${file:${NAME}}', 'from-file'],
    ['${file:two}', 'a\n'],
    ['${file:crlf}', 'a'],
    ['${TRICK}', '${A} $$ ${file:token}'],
    ['${constructor:-own only}', 'own only'],
  ])('%s is %j', (template, expected) => {
    expect(interpolate(template, context).text).toBe(expected)
  })

  it.each([
    ['${NONE}', /variable NONE is not set/, /default: \$\{NONE:-…\}/],
    ['${NONE:-${NONE2}}', /variable NONE2 is not set/, /NONE2/],
    ['${toString}', /variable toString is not set/, /set it/],
    ['${A', /no closing brace/, /close it/],
    ['${A:-x', /no closing brace/, /close it/],
    ['${file:token', /no closing brace/, /close it/],
    ['${', /no closing brace/, /close it/],
    ['${}', /is not a reference/, /write \$\{VAR\}/],
    ['${A B}', /"\$\{A B…" is not a reference/, /write/],
    ['${1A}', /is not a reference/, /write/],
    ['${A:?must}', /"\$\{A:…" is not a reference/, /write/],
    ['${A-x}', /is not a reference/, /write/],
    ['${A:-${1}}', /is not a reference/, /write/],
    ['${file:}', /names no file/, /write/],
    ['${file:nope}', /the file "nope": it does not exist/, /relative paths/],
    ['${env:A}', /client's form/, /write \$\{A\}/],
    ['${input:key}', /has none to ask/, /use a variable/],
  ])('refuses %s', (template, message, hint) => {
    const error = failure(() => interpolate(template, context))
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toMatch(message)
    expect(error.hint).toMatch(hint)
  })

  it('reads the clients’ ${env:VAR} where it is told to', () => {
    const client = { ...context, clientSyntax: true }
    expect(interpolate('Bearer ${env:A}', client).text).toBe('Bearer va')
    expect(interpolate('${env:NONE:-x}', client).text).toBe('x')
  })

  it('S16: shows no path that came from outside', () => {
    const error = failure(() => interpolate('${file:${A}}', context))
    expect(error.message).toBe('the file named here: it does not exist')
  })

  it('tells pieces from outside, and no defaults', () => {
    expect(interpolate('x${A}${NONE:-d}${file:token}', context).outside).toEqual(['va', 'from-file'])
    expect(interpolate('${NONE:-d}', context).outside).toEqual([])
  })

  it.each([
    ['${A}', true],
    ['${NONE:-1}', true],
    ['${file:token}', true],
    [' ${A}', false],
    ['${A}${B}', false],
    ['$$', false],
    ['plain', false],
  ])('%s is one reference alone: %s', (template, isSole) => {
    expect(interpolate(template, context).isSole).toBe(isSole)
  })

  it('nests 16 deep and no deeper', () => {
    const nest = (depth: number) => ['${NONE:-'.repeat(depth), 'x', '}'.repeat(depth)].join('')
    expect(interpolate(nest(16), context).text).toBe('x')
    expect(failure(() => interpolate(nest(17), context)).message).toMatch(/deeper than 16/)
    expect(failure(() => interpolate('${A:-'.repeat(200_000), context)).message).toMatch(/deeper than 16/)
  })

  it('grows to 1,048,576 characters and no further', () => {
    const half = { env: { HALF: 'x'.repeat(512 * 1024) }, readFile }
    expect(interpolate('${HALF}${HALF}', half).text).toHaveLength(1_048_576)
    expect(failure(() => interpolate('${HALF}${HALF}y', half)).message).toMatch(/grows past 1048576/)
  })

  it('asks for at most 64 KiB of a file', () => {
    let asked = 0
    interpolate('${file:x}', {
      env: {},
      readFile: (_, bytesMax) => {
        asked = bytesMax
        return ''
      },
    })
    expect(asked).toBe(65_536)
  })

  it('gives back every text whose dollars are doubled', () => {
    const text = fc.string({ unit: fc.constantFrom('$', '{', '}', ':', '-', 'A', 'é', '\n') })
    fc.assert(
      fc.property(text, (raw) => {
        expect(interpolate(raw.replaceAll('$', '$$$$'), { env: {}, readFile }).text).toBe(raw)
      }),
    )
  })

  it('never looks into what a variable holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-') }), (value) => {
        const { text } = interpolate('<${V}>', { env: { V: value, A: 'reached' }, readFile })
        expect(text).toBe(`<${value}>`)
      }),
    )
  })

  it('throws nothing but CONFIG_INVALID, whatever it is given', () => {
    const piece = fc.constantFrom(
      '${',
      '}',
      '$',
      '$$',
      ':-',
      'file:',
      'env:',
      'A',
      'NONE',
      'token',
      ' ',
      '"',
      '\0',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.boolean(), (pieces, clientSyntax) => {
        try {
          expect(typeof interpolate(pieces.join(''), { ...context, clientSyntax }).text).toBe('string')
        } catch (error) {
          expect(error).toBeInstanceOf(WeirError)
          expect((error as WeirError).code).toBe('CONFIG_INVALID')
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
