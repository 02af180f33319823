import { createSecureContext, type SecureContext } from 'node:tls'
import { WeirError } from '../core/error.ts'
import type { TlsOptions } from './egress.ts'

/** Certificates that were read once, for every socket that is opened with them. */
export interface TlsMaterial {
  readonly secureContext: SecureContext
  readonly serverName: string | undefined
}

/** Reads certificate, key and authorities. Throws CONFIG_INVALID, which repeats nothing of what it read. */
export function createTlsMaterial(options: TlsOptions): TlsMaterial {
  const { ca, cert, key, passphrase, serverName } = options
  if ((cert === undefined) !== (key === undefined)) {
    const [there, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key']
    throw invalid(`has a \`${there}\` without a \`${missing}\``, 'Give both, or neither.')
  }
  const authorities = ca === undefined ? [] : [ca].flat()
  // OpenSSL passes over what it cannot read here, and would then trust nobody.
  if (!authorities.every((one) => one.includes('-----BEGIN ')))
    throw invalid('has a `ca` that is not PEM', 'Give PEM text.')
  try {
    const secureContext = createSecureContext({
      ...(ca === undefined ? {} : { ca: authorities }),
      ...(cert === undefined ? {} : { cert, key }),
      ...(passphrase === undefined ? {} : { passphrase }),
    })
    return { secureContext, serverName }
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    throw invalid(`cannot be used (${code})`, hints[code] ?? 'Give PEM text.', cause)
  }
}

const hints: Readonly<Record<string, string>> = {
  ERR_MISSING_PASSPHRASE: 'The key is encrypted: give its `passphrase`.',
  ERR_OSSL_BAD_DECRYPT: 'The `passphrase` does not open the key.',
  ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED: 'The key is encrypted: give its `passphrase`.',
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'The key is of another certificate.',
  ERR_OSSL_X509_KEY_TYPE_MISMATCH: 'The key is of another certificate.',
}

function invalid(what: string, hint: string, cause?: unknown): WeirError {
  return new WeirError('CONFIG_INVALID', `\`tls\` ${what}.`, {
    hint,
    data: { configKey: 'tls' },
    ...(cause === undefined ? {} : { cause }),
  })
}
