import { WeirError } from '../core/error.ts'

const depthMax = 16
const expandedCharsMax = 1024 * 1024
const fileBytesMax = 64 * 1024
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/
const forms = 'write ${VAR}, ${VAR:-default} or ${file:path}, and $$ for a dollar sign'

/** Reads a small text file whole. Throws, with a message that says why not, where it is absent or larger than `bytesMax`. */
export type ReadText = (path: string, bytesMax: number) => string

/** Where references find their values. */
export interface InterpolateContext {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: ReadText
  /** Also takes `${env:VAR}`, which some clients write in `mcpServers`. */
  readonly clientSyntax?: boolean
}

/** One value after interpolation. */
export interface Interpolated {
  readonly text: string
  /** What came from the environment or a file, piece by piece. Defaults stand in the config itself and are none. */
  readonly outside: readonly string[]
  /** Whether the value was exactly one `${…}`, whose result may be read again as a number or a boolean. */
  readonly isSole: boolean
}

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly fallback: readonly Part[] | undefined }
  | { readonly kind: 'file'; readonly path: readonly Part[] }

/**
 * Replaces `${VAR}`, `${VAR:-default}` (where VAR is unset or empty) and `${file:path}` (one trailing
 * line break trimmed), once: what a variable holds is never looked into. Defaults and paths may hold
 * references themselves, 16 deep. `$$` is a dollar; a `$` before anything else stays.
 * Throws CONFIG_INVALID.
 */
export function interpolate(template: string, context: InterpolateContext): Interpolated {
  if (!template.includes('$')) return { text: template, outside: [], isSole: false }
  const parts = new TemplateParser(template, context.clientSyntax === true).parse()
  const evaluation = new Evaluation(context)
  const text = evaluation.render(parts)
  const isSole = parts.length === 1 && parts[0]!.kind !== 'text'
  return { text, outside: evaluation.outside, isSole }
}

/** Reads the whole template first, so that a fault in an unused default is found too. */
class TemplateParser {
  readonly #template: string
  readonly #clientSyntax: boolean
  #at = 0

  constructor(template: string, clientSyntax: boolean) {
    this.#template = template
    this.#clientSyntax = clientSyntax
  }

  parse(): Part[] {
    return this.#parts(0)
  }

  /** Up to the end, or inside a reference up to the brace that closes it. */
  #parts(depth: number): Part[] {
    const parts: Part[] = []
    let text = ''
    while (this.#at < this.#template.length) {
      const char = this.#template[this.#at]!
      if (depth > 0 && char === '}') break
      if (char === '$' && this.#template[this.#at + 1] === '{') {
        if (text !== '') parts.push({ kind: 'text', text })
        text = ''
        parts.push(this.#reference(depth + 1))
        continue
      }
      this.#at += this.#template.startsWith('$$', this.#at) ? 2 : 1
      text += char
    }
    if (text !== '') parts.push({ kind: 'text', text })
    return parts
  }

  #reference(depth: number): Part {
    if (depth > depthMax) throw refuse(`references nest deeper than ${depthMax}`, 'use fewer nested defaults')
    this.#at += 2
    if (this.#skip('file:')) return { kind: 'file', path: this.#closed(depth) }
    const isClientForm = this.#skip('env:')
    const name = this.#name()
    if (isClientForm && !this.#clientSyntax) {
      throw refuse(`\${env:${name}} is a client's form, for mcpServers only`, `write \${${name}}`)
    }
    const hasDefault = this.#skip(':-')
    if (!variableName.test(name)) throw this.#refuseName(name)
    if (!hasDefault && this.#template[this.#at] === ':') throw this.#refuseName(`${name}:`)
    return { kind: 'variable', name, fallback: hasDefault ? this.#closed(depth) : this.#bare() }
  }

  #name(): string {
    const start = this.#at
    while (this.#at < this.#template.length && !':}'.includes(this.#template[this.#at]!)) this.#at++
    return this.#template.slice(start, this.#at)
  }

  #refuseName(name: string): WeirError {
    if (this.#at >= this.#template.length) return refuseOpen()
    if (name === 'input:') {
      return refuse('${input:…} asks its user, and Weir has none to ask', 'use a variable, ${VAR}')
    }
    // Only the beginning is shown: past it stands text that may be anything.
    return refuse(`"\${${name.slice(0, 40)}…" is not a reference`, forms)
  }

  #closed(depth: number): readonly Part[] {
    const parts = this.#parts(depth)
    this.#close()
    return parts
  }

  #bare(): undefined {
    this.#close()
  }

  #close(): void {
    if (!this.#skip('}')) throw refuseOpen()
  }

  #skip(text: string): boolean {
    if (!this.#template.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }
}

class Evaluation {
  readonly outside: string[] = []
  readonly #context: InterpolateContext

  constructor(context: InterpolateContext) {
    this.#context = context
  }

  render(parts: readonly Part[]): string {
    let text = ''
    for (const part of parts) {
      text += this.#value(part)
      if (text.length > expandedCharsMax) {
        throw refuse(`the value grows past ${expandedCharsMax} characters`, 'shorten what it refers to')
      }
    }
    return text
  }

  #value(part: Part): string {
    if (part.kind === 'text') return part.text
    return part.kind === 'file' ? this.#file(part.path) : this.#variable(part.name, part.fallback)
  }

  #variable(name: string, fallback: readonly Part[] | undefined): string {
    // Own properties only: `${constructor}` is a variable like any other.
    const value = Object.hasOwn(this.#context.env, name) ? this.#context.env[name] : undefined
    if (fallback !== undefined && (value === undefined || value === '')) return this.render(fallback)
    if (value === undefined) {
      throw refuse(`the variable ${name} is not set`, `set it, or give a default: \${${name}:-…}`)
    }
    this.outside.push(value)
    return value
  }

  #file(pathParts: readonly Part[]): string {
    const path = this.render(pathParts)
    if (path === '') throw refuse('${file:} names no file', forms)
    const text = this.#read(path).replace(/\r?\n$/, '')
    this.outside.push(text)
    return text
  }

  #read(path: string): string {
    try {
      return this.#context.readFile(path, fileBytesMax)
    } catch (error) {
      const why = error instanceof Error ? error.message : 'it cannot be read'
      // A path that came from outside is not shown: what it holds may be a secret in the wrong place.
      const shown = this.outside.length === 0 ? `the file ${JSON.stringify(path)}` : 'the file named here'
      throw refuse(`${shown}: ${why}`, 'relative paths start at the folder of the configuration file')
    }
  }
}

function refuse(message: string, hint: string): WeirError {
  return new WeirError('CONFIG_INVALID', message, { hint })
}

function refuseOpen(): WeirError {
  return refuse('a ${ has no closing brace', 'close it, or write $${ for the two characters themselves')
}
