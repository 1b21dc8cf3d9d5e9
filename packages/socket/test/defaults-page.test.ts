import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { policyFor } from '../src/options/policy.ts'
import { resolve } from '../src/options/resolve.ts'
import { type Row, table } from '../src/options/table.ts'

// docs/defaults.md says what is so.

const page = readFileSync(join(import.meta.dirname, '../../../docs/defaults.md'), 'utf8')
const section = page.slice(page.indexOf('## @x/socket'), page.indexOf('## @x/verify-hostname'))
const documented = new Map(
  section
    .split('\n')
    .filter((line) => /^\| [^-]/.test(line) && !line.startsWith('| option'))
    .flatMap(entriesOf),
)

/** Option and default of one row; several options stand beside as many defaults, or share one. */
function entriesOf(row: string): [name: string, text: string][] {
  const [names = '', text = ''] = row
    .split(/(?<!\\)\|/)
    .slice(1)
    .map((cell) => cell.trim())
  const options = [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
  const prefix = /^(?:verify|revocation)\./.exec(names.replaceAll('`', ''))?.[0] ?? ''
  const full = options.map((name) => (name in table || name.includes('.') || name.includes('(') ? name : prefix + name))
  const texts = text.split(/, (?!\d)/)
  return full.map((name, at) => [name, texts.length === full.length ? (texts[at] as string) : text])
}

/** What such a text means, where it is a value. */
function valueOf(text: string): unknown {
  const literal = /^`(true|false|'[^']*')`/.exec(text)?.[1]
  if (literal !== undefined) return JSON.parse(literal.replaceAll("'", '"'))
  const number = /^([\d,]+)(?: (s|bits|bytes|at once))?$/.exec(text)
  if (number !== null) return Number(number[1]?.replaceAll(',', '')) * (number[2] === 's' ? 1000 : 1)
  return text.startsWith('none') ? undefined : text
}

const rows: Readonly<Record<string, Row<unknown>>> = table
const { name, revocation, callbackTimeout, forceFingerprints, callback } = policyFor(
  'client',
  resolve('connect', { host: 'a.example', port: 1 }),
  undefined,
)
if (name.by !== 'scheme') throw new TypeError('names are compared by a scheme')

const effective: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(Object.entries(rows).map(([key, { initial }]) => [key, initial])),
  'verify.scheme': name.scheme,
  'verify.publicSuffix': name.publicSuffix,
  'verify.forceFingerprints': forceFingerprints,
  'verify.callback': callback,
  'verify.callbackTimeout': callbackTimeout,
  'revocation.staple': revocation.staple,
  'revocation.online': revocation.online,
  'revocation.failure': revocation.failure,
  'revocation.depth': revocation.depth,
  'revocation.timeout': revocation.timeout,
}

describe('docs/defaults.md', () => {
  it.each(Object.entries(effective).filter(([, value]) => value !== undefined))(
    'says of %s that it is %j',
    (key, value) => {
      expect(valueOf(documented.get(key) ?? 'not there')).toEqual(value)
    },
  )

  it.each([...documented].filter(([, text]) => /^`(?:true|false|')|^\d/.test(text)))(
    '%s: %s is in the code',
    (key, text) => {
      const known = key in effective || /^(?:stopTls\(|revocation\.(?:cache|crlDepth)|requestCert)/.test(key)
      expect(known, `${key}: ${text}`).toBe(true)
    },
  )

  it.each([...documented.keys()])('knows %s, and so does the table of options', (key) => {
    const [whole = '', part] = key.split('.')
    expect(whole in rows || whole.startsWith('stopTls(')).toBe(true)
    if (part !== undefined) expect(() => resolve('connect', { [whole]: { [part]: null } })).toThrow(`${whole}.${part}`)
  })
})
