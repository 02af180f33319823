import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { WeirError } from '../core/error.ts'
import { findPlace, prepareFile } from './prepare-file.ts'
import { makeSecretFile, readSecretFile } from './secret-file.ts'

const tokenBytes = 32
const textBytes = tokenBytes * 2
/** A line's end that an editor may have added. */
const slackBytes = 2

/** Where the operator's own credential lies. */
export interface OperatorTokenPlace {
  readonly path: string
  /** The token, made where there is none yet. Throws STORE_UNUSABLE where others can read it. */
  read(): Promise<string>
}

/** The file `operator-token` beside the store; undefined for a store that keeps nothing, which has no folder. */
export function findOperatorToken(url: string, baseDir: string): OperatorTokenPlace | undefined {
  const place = findPlace(url, baseDir)
  if (place === undefined) return undefined
  const path = join(dirname(place.path), 'operator-token')
  const what = `The operator’s token ${path}`
  const readOnce = async () => {
    const bytes = await readSecretFile(path, what, textBytes + slackBytes)
    return bytes?.toString('utf8').trim()
  }
  return {
    path,
    async read() {
      let token = await readOnce()
      if (token === undefined) {
        await prepareFile(place)
        await makeSecretFile(path, what, Buffer.from(randomBytes(tokenBytes).toString('hex')))
        token = await readOnce()
      }
      if (token !== undefined && token.length === textBytes) return token
      throw new WeirError('STORE_UNUSABLE', `${what} does not hold ${textBytes} characters.`, {
        hint: 'Remove it: Weir makes a new one.',
      })
    },
  }
}
