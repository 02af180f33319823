import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { WeirError } from '../../core/error.ts'

/** A key of AES-256-GCM, and the short name by which sealed values say that they need it. */
export interface SealingKey {
  readonly bytes: Uint8Array
  readonly id: string
}

const format = 'v1'
const nonceBytes = 12
const tagBytes = 16
const idChars = 11

/** Names a key by a digest of it, which tells nothing about it. */
export function createSealingKey(bytes: Uint8Array): SealingKey {
  const digest = createHash('sha256').update('weir/store/key-id').update(bytes).digest('base64url')
  return { bytes, id: digest.slice(0, idChars) }
}

/** As text: format, key, and nonce, ciphertext and tag in base64url. Opens only with the same `binding`. */
export function seal(key: SealingKey, binding: string, value: string): string {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce).setAAD(Buffer.from(binding))
  const bytes = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${format}.${key.id}.${bytes.toString('base64url')}`
}

/** The value. Throws STORE_UNUSABLE for another key's, another row's, and for anything that was changed. */
export function openSealed(key: SealingKey, binding: string, sealed: string): string {
  const [kind, keyId, text = ''] = sealed.split('.')
  if (kind === format && keyId !== key.id) {
    throw new WeirError(
      'STORE_UNUSABLE',
      'A stored credential was sealed with another key than Weir has now.',
      {
        hint: 'Bring back the key the store was made with, or remove the credential and sign in again.',
      },
    )
  }
  const bytes = Buffer.from(text, 'base64url')
  if (kind !== format || bytes.length < nonceBytes + tagBytes) throw changed()
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, nonceBytes))
  decipher.setAAD(Buffer.from(binding)).setAuthTag(bytes.subarray(-tagBytes))
  try {
    const head = decipher.update(bytes.subarray(nonceBytes, -tagBytes))
    return Buffer.concat([head, decipher.final()]).toString('utf8')
  } catch {
    throw changed()
  }
}

function changed(): WeirError {
  return new WeirError('STORE_UNUSABLE', 'A stored credential was changed or moved since Weir wrote it.', {
    hint: 'Find out who else writes in the store; then remove the credential and sign in again.',
  })
}
