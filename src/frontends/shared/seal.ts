import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Data handed to a client that only we can read or make. */
export interface Seal {
  /** As text that fits a header and a URL. */
  seal(data: unknown): string
  /** The data; undefined for anything this key did not seal for this purpose, or that was changed since. */
  open(sealed: string): unknown
}

const nonceBytes = 12
const tagBytes = 16

/**
 * AES-256-GCM. `purpose` parts the keys, so that what was sealed for one use never opens in another. Replicas that
 * share `secret` open each other's seals; without one a key is made that lives as long as the process.
 */
export function createSeal(purpose: string, secret: string | undefined): Seal {
  const material = secret === undefined ? randomBytes(32) : Buffer.from(secret, 'utf8')
  const key = Buffer.from(hkdfSync('sha256', material, '', `weir/${purpose}`, 32))
  return {
    seal(data) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const text = Buffer.concat([cipher.update(JSON.stringify(data), 'utf8'), cipher.final()])
      return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url')
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64url')
      // Decoding passes over what is no base64url: only one spelling may open, or an ended id lives on under another.
      if (bytes.length <= nonceBytes + tagBytes || bytes.toString('base64url') !== sealed) return undefined
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        })
        decipher.setAuthTag(bytes.subarray(-tagBytes))
        const text = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
        return JSON.parse(text.toString('utf8'))
      } catch {
        return undefined
      }
    },
  }
}
