import { isRecord } from '../../config/path.ts'
import { isSensitiveKey } from '../../core/sensitive-key.ts'

/** A place where a secret seems to stand in the open, and the variable that could stand there. Never its value. */
export interface PlainSecret {
  readonly where: string
  readonly variable: string
}

/** What looks like a secret in the settings of an `mcp` connection and is written out instead of referred to. */
export function findPlainSecrets(
  name: string,
  config: Readonly<Record<string, unknown>>,
): readonly PlainSecret[] {
  const prefix = toVariable(name)
  const ofMap = (block: string, toName: (key: string) => string): readonly PlainSecret[] =>
    Object.entries(isRecord(config[block]) ? config[block] : {})
      .filter(([key, value]) => isSensitiveKey(key) && isPlain(value))
      .map(([key]) => ({ where: `${block}.${key}`, variable: toName(key) }))
  return [
    ...ofMap('env', toVariable),
    ...ofMap('headers', (key) => `${prefix}_${toVariable(key)}`),
    ...findInArgs(config['args']).map((flag) => ({
      where: `args ${flag}`,
      variable: `${prefix}_${toVariable(flag.replace(/^-+/, ''))}`,
    })),
    ...findInUrl(config['url']).map((key) => ({
      where: `url ${key}`,
      variable: `${prefix}_${toVariable(key)}`,
    })),
  ]
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !value.includes('${')
}

function toVariable(key: string): string {
  return key.toUpperCase().replace(/[^A-Z0-9]+/g, '_')
}

/** The flags that carry one: `--api-key=x`, `--api-key x`. */
function findInArgs(args: unknown): readonly string[] {
  if (!Array.isArray(args)) return []
  return args.flatMap((arg: unknown, index) => {
    const [, flag = '', value] = /^(--?[\w-]+)(?:=(.*))?$/s.exec(String(arg)) ?? []
    return isSensitiveKey(flag) && isPlain(value ?? args[index + 1]) ? [flag] : []
  })
}

/** The parameters that carry one, and `password` for that of a URL itself. */
function findInUrl(url: unknown): readonly string[] {
  if (typeof url !== 'string' || !URL.canParse(url)) return []
  const { password, searchParams } = new URL(url)
  const keys = [...searchParams]
    .filter(([key, value]) => isSensitiveKey(key) && isPlain(value))
    .map(([key]) => key)
  return password !== '' && !/\$(?:\{|%7B)/i.test(password) ? ['password', ...keys] : keys
}
