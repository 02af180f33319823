import { basename, sep } from 'node:path'

/** What a client would put in place of its own references. */
export interface ReferenceContext {
  readonly home: string
  /** The project's folder; absent for a user's own file. */
  readonly folder: string | undefined
}

/** Turns the references of clients into those of Weir. */
export interface ReferenceTranslator {
  /** The same value for Weir. `refuse` is told of each reference that Weir has nothing for. */
  translate(text: string, refuse: (reference: string) => void): string
  /** The questions to the user that became variables, by the variable's name. */
  readonly inputs: ReadonlyMap<string, string>
}

/**
 * `${VAR}` and `${VAR:-x}` stay, `${env:VAR}` loses its prefix, `${input:id}` becomes a variable, folders become paths.
 * Every other dollar is doubled, because Weir reads two of them as one.
 */
export function createReferenceTranslator({ home, folder }: ReferenceContext): ReferenceTranslator {
  const inputs = new Map<string, string>()
  const folders = new Map<string, string>([
    ['userHome', home],
    ['pathSeparator', sep],
    ['/', sep],
    ...(folder === undefined
      ? []
      : ([
          ['workspaceFolder', folder],
          ['workspaceFolderBasename', basename(folder)],
        ] as const)),
  ])
  const replace = (reference: string): string | undefined => {
    const known = folders.get(reference)
    if (known !== undefined) return known.replaceAll('$', '$$$$')
    if (/^[A-Za-z_]\w*(?::-.*)?$/.test(reference) && reference !== 'workspaceFolder')
      return `\${${reference}}`
    const [, kind, name = ''] = /^(env|input):(.+)$/.exec(reference) ?? []
    if (kind === 'env' && /^[A-Za-z_]\w*$/.test(name)) return `\${${name}}`
    return kind === 'input' ? `\${${nameInput(name, inputs)}}` : undefined
  }
  return {
    inputs,
    translate: (text, refuse) =>
      text.replace(/\$\{([^}]*)\}|\$/g, (whole, reference: string | undefined) => {
        if (reference === undefined) return '$$'
        const replaced = replace(reference)
        if (replaced === undefined) refuse(whole)
        return replaced ?? ''
      }),
  }
}

/** `api-key` is `API_KEY`; of two ids that would share a name, the second gets a number. */
function nameInput(id: string, inputs: Map<string, string>): string {
  const plain = id.toUpperCase().replace(/[^A-Z0-9]+/g, '_')
  const base = /^[0-9]/.test(plain) ? `_${plain}` : plain
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}_${number}`
    if (!inputs.has(name)) inputs.set(name, id)
    if (inputs.get(name) === id) return name
  }
}
