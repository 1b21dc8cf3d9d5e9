import { element, oid, sequence, setOf, Tag, utf8String } from '@x/der'
import { describe, expect, it } from 'vitest'
import type { CommonNameRule } from '../src/verify/path/index.ts'
import {
  altNames,
  caExtensions,
  codes,
  directory,
  dns,
  email,
  type Extension,
  ip,
  keys,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  nameConstraints,
  nameOf,
  uri,
  walk,
} from './path-support.ts'

const root = makeRoot()

interface Options {
  readonly subject?: string | Uint8Array
  readonly commonName?: CommonNameRule
  readonly purpose?: 'server' | 'client'
}

function judge(constraints: Extension, names: readonly Uint8Array[], options: Options = {}): string[] {
  const { subject = 'Some server', ...rest } = options
  const chain = [
    makeLeaf({ subject, extensions: names.length === 0 ? [] : [altNames(...names)] }),
    makeIntermediate({ extensions: [...caExtensions, constraints] }),
  ]
  return codes(walk(chain, [root], rest)).map((code) => code.replace(/^0 /, ''))
}

const PERMITTED = ['PERMITTED_VIOLATION']
const EXCLUDED = ['EXCLUDED_VIOLATION']
const NAME = ['UNSUPPORTED_NAME_SYNTAX']
const BASE = ['UNSUPPORTED_CONSTRAINT_SYNTAX']
const organisation = (...units: string[]): Uint8Array =>
  sequence(
    setOf(sequence(oid('2.5.4.10'), utf8String('Example'))),
    ...units.map((unit) => setOf(sequence(oid('2.5.4.11'), utf8String(unit)))),
  )

/** Its text is no UTF-8. */
const broken = sequence(setOf(sequence(oid('2.5.4.10'), element(Tag.UTF8_STRING, Uint8Array.of(0xff)))))

/** What is permitted, what the leaf is called, and what comes of it; and the same where it is excluded. */
const subtrees: readonly (readonly [
  base: Uint8Array,
  name: Uint8Array,
  permitted: readonly string[],
  excluded: readonly string[],
])[] = [
  [dns('example.org'), dns('example.org'), [], EXCLUDED],
  [dns('example.org'), dns('www.EXAMPLE.org'), [], EXCLUDED],
  [dns('EXAMPLE.org'), dns('a.b.example.org'), [], EXCLUDED],
  [dns('example.org'), dns('example.org.'), [], EXCLUDED],
  [dns('example.org.'), dns('www.example.org'), [], EXCLUDED],
  [dns('example.org'), dns('notexample.org'), PERMITTED, []],
  [dns('example.org'), dns('example.com'), PERMITTED, []],
  [dns('www.example.org'), dns('example.org'), PERMITTED, []],
  [dns('.example.org'), dns('www.example.org'), [], EXCLUDED],
  [dns('.example.org'), dns('example.org'), PERMITTED, []],
  [dns(''), dns('example.org'), [], EXCLUDED],
  [dns('example.org'), dns('*.example.org'), [], EXCLUDED],
  [dns('www.example.org'), dns('*.example.org'), PERMITTED, EXCLUDED],
  [dns('www.example.org'), dns('w*.example.org'), PERMITTED, EXCLUDED],
  [dns('a.www.example.org'), dns('*.example.org'), PERMITTED, []],
  [dns('*.example.org'), dns('www.example.org'), BASE, BASE],
  [dns('example.org'), dns('.example.org'), NAME, NAME],
  [dns('example.org'), dns('www..example.org'), NAME, NAME],
  [dns('example.org'), dns('www.example.org\0.evil.com'), NAME, NAME],
  [dns('example.org'), dns('www.exämple.org'), NAME, NAME],
  [email('example.org'), email('me@example.org'), [], EXCLUDED],
  [email('example.org'), email('me@www.example.org'), PERMITTED, []],
  [email('.example.org'), email('me@www.example.org'), [], EXCLUDED],
  [email('.example.org'), email('me@example.org'), PERMITTED, []],
  [email('me@example.org'), email('me@EXAMPLE.org'), [], EXCLUDED],
  [email('me@example.org'), email('ME@example.org'), PERMITTED, []],
  [email('example.org'), email('"a@example.org"@evil.com'), PERMITTED, []],
  [email('example.org'), email('nobody'), NAME, NAME],
  [email('me@'), email('me@example.org'), BASE, BASE],
  [uri('example.org'), uri('https://example.org/path'), [], EXCLUDED],
  [uri('example.org'), uri('https://example.org:8443?q'), [], EXCLUDED],
  [uri('example.org'), uri('https://www.example.org/'), PERMITTED, []],
  [uri('.example.org'), uri('https://www.example.org/'), [], EXCLUDED],
  [uri('example.org'), uri('https://example.org@evil.com/'), PERMITTED, []],
  [uri('example.org'), uri('https://evil.com/@example.org'), PERMITTED, []],
  [uri('example.org'), uri('https://evil.com#example.org'), PERMITTED, []],
  [uri('example.org'), uri('https://evil.com\\@example.org/'), NAME, NAME],
  [uri('example.org'), uri('https://192.0.2.1/'), NAME, NAME],
  [uri('example.org'), uri('https://[2001:db8::1]/'), NAME, NAME],
  [uri('example.org'), uri('urn:example.org'), NAME, NAME],
  [ip(192, 0, 2, 0, 255, 255, 255, 0), ip(192, 0, 2, 77), [], EXCLUDED],
  [ip(192, 0, 2, 0, 255, 255, 255, 0), ip(192, 0, 3, 1), PERMITTED, []],
  [ip(0, 0, 0, 0, 0, 0, 0, 0), ip(192, 0, 3, 1), [], EXCLUDED],
  [ip(0, 0, 0, 0, 0, 0, 0, 0), ip(...new Uint8Array(16)), PERMITTED, []],
  [ip(...new Uint8Array(32)), ip(...new Uint8Array(16)), [], EXCLUDED],
  [ip(192, 0, 2, 0, 255, 0, 255, 0), ip(192, 0, 2, 1), BASE, BASE],
  [ip(192, 0, 2, 0), ip(192, 0, 2, 1), BASE, BASE],
  [ip(192, 0, 2, 0, 255, 255, 255, 0), ip(192, 0, 2), NAME, NAME],
  [directory(organisation()), directory(organisation('A')), [], EXCLUDED],
  [directory(organisation('A')), directory(organisation('a', 'B')), [], EXCLUDED],
  [directory(organisation('A')), directory(organisation('B')), PERMITTED, []],
  [directory(organisation('A')), directory(organisation()), PERMITTED, []],
  [directory(sequence(sequence())), directory(organisation()), BASE, BASE],
  [directory(sequence(setOf())), directory(organisation()), BASE, BASE],
  [directory(organisation()), directory(broken), NAME, NAME],
  [directory(broken), directory(organisation()), BASE, BASE],
]

/** A leaf with that directory name as its subject too, so that the subject does not decide. */
function optionsFor(name: Uint8Array): Options {
  return name[0] === 0xa4 ? { subject: '' } : {}
}

describe.each([0, 1, 2])('name constraints, a third of the table (%i)', (third) => {
  it.each(subtrees.filter((_, i) => i % 3 === third).map((row) => [text(row[0]), text(row[1]), row] as const))(
    '%s, %s',
    (_base, _name, [base, name, permitted, excluded]) => {
      expect(judge(nameConstraints([base]), [name], optionsFor(name))).toEqual(permitted)
      expect(judge(nameConstraints([], [base]), [name], optionsFor(name))).toEqual(excluded)
    },
  )
})

function text(name: Uint8Array): string {
  return `[${(name[0] as number) & 0x1f}] ${Buffer.from(name.subarray(2))
    .toString('latin1')
    .replaceAll(/[^ -~]/g, '.')}`
}

describe('which names are held against constraints', () => {
  const onlyOrg = nameConstraints([dns('example.org')])

  it('names of another type are free', () => {
    expect(judge(onlyOrg, [email('me@example.com'), ip(192, 0, 2, 1), dns('example.org')])).toEqual([])
  })

  it('every name counts, and so does every constraint', () => {
    expect(judge(onlyOrg, [dns('example.org'), dns('example.com')])).toEqual(PERMITTED)
    expect(judge(nameConstraints([dns('example.com'), dns('example.org')]), [dns('example.org')])).toEqual([])
    expect(judge(nameConstraints([dns('example.org')], [dns('www.example.org')]), [dns('www.example.org')])).toEqual(
      EXCLUDED,
    )
  })

  it.each([
    ['www.example.com', 'always', PERMITTED],
    ['www.example.com', 'when-no-dns-name', []],
    ['www.example.com', 'never', []],
    ['www.example.org', 'always', []],
    ['www.example.com.', 'always', PERMITTED],
    ['*.example.com', 'always', PERMITTED],
    ['intranet', 'always', PERMITTED],
    ['intranet', 'when-no-dns-name', []],
    ['Some server', 'always', []],
  ] as const)('the common name %s beside a dNSName (%s)', (subject, commonName, expected) => {
    expect(judge(onlyOrg, [dns('example.org')], { subject, commonName })).toEqual(expected)
  })

  it('the common name without a dNSName', () => {
    for (const commonName of ['always', 'when-no-dns-name'] as const)
      expect(judge(onlyOrg, [], { subject: 'www.example.com', commonName })).toEqual(PERMITTED)
    expect(judge(onlyOrg, [], { subject: 'www.example.com', commonName: 'never' })).toEqual([])
    expect(judge(nameConstraints([], [ip(192, 0, 2, 0, 255, 255, 255, 0)]), [], { subject: '192.0.2.7' })).toEqual(
      EXCLUDED,
    )
  })

  it('a client may have any single word as its common name', () => {
    expect(judge(onlyOrg, [], { subject: 'alice', purpose: 'client' })).toEqual([])
  })

  it('the subject, and the e-mail addresses in it', () => {
    const subject = sequence(setOf(sequence(oid('1.2.840.113549.1.9.1'), utf8String('me@example.com'))))
    expect(judge(nameConstraints([email('example.org')]), [], { subject })).toEqual(PERMITTED)
    expect(judge(nameConstraints([directory(organisation())]), [], { subject })).toEqual(PERMITTED)
    expect(judge(nameConstraints([], [directory(nameOf('Mallory'))]), [], { subject: 'mallory' })).toEqual(EXCLUDED)
  })

  it('types that nobody can compare refuse where they meet', () => {
    const registered = Buffer.of(0x88, 3, 0x2a, 3, 4)
    expect(judge(nameConstraints([registered]), [registered])).toEqual(['UNSUPPORTED_CONSTRAINT_TYPE'])
    expect(judge(nameConstraints([registered]), [dns('example.org')])).toEqual([])
  })

  it('a mailbox beyond ASCII', () => {
    const other = (value: Uint8Array): Uint8Array =>
      Buffer.concat([
        Buffer.of(0xa0, 12 + value.length),
        oid('1.3.6.1.5.5.7.8.9'),
        Buffer.of(0xa0, value.length),
        value,
      ])
    expect(judge(nameConstraints([email('example.org')]), [other(utf8String('me@example.com'))])).toEqual(PERMITTED)
    expect(judge(nameConstraints([email('example.org')]), [other(utf8String('me@example.org'))])).toEqual([])
    expect(judge(nameConstraints([email('example.org')]), [other(Buffer.of(5, 0))])).toEqual(NAME)
  })

  it('the root’s constraints, and an intermediate’s names', () => {
    const narrow = makeRoot({ extensions: [...caExtensions, onlyOrg] })
    expect(codes(walk([makeLeaf(), makeIntermediate()], [narrow]))).toEqual([])
    const named = makeIntermediate({ extensions: [...caExtensions, altNames(dns('example.com'))] })
    expect(codes(walk([makeLeaf(), named], [narrow]))).toEqual(['1 PERMITTED_VIOLATION'])
  })

  it('not those of a self-issued intermediate, but those of a self-issued leaf', () => {
    const extensions = [...caExtensions, onlyOrg]
    const foreign = altNames(dns('example.com'))
    const old = makeIntermediate({ extensions, serial: 7 })
    const fresh = makeIntermediate({
      issuer: 'Intermediate',
      signer: keys.intermediate,
      key: keys.other,
      extensions: [...caExtensions, foreign],
    })
    expect(codes(walk([makeLeaf({ signer: keys.other }), fresh, old], [root]))).toEqual([])
    const leaf = makeLeaf({ subject: 'Intermediate', extensions: [foreign] })
    expect(new Set(codes(walk([leaf, old], [root])))).toEqual(new Set(['0 PERMITTED_VIOLATION']))
  })

  it('empty constraints are malformed', () => {
    expect(
      codes(walk([makeLeaf(), makeIntermediate({ extensions: [...caExtensions, nameConstraints([])] })], [root])),
    ).toEqual(['1 INVALID_EXTENSION'])
  })
})

describe('bounds', () => {
  const many = (count: number, make: (i: number) => Uint8Array): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => make(i))

  it('ten thousand names under ten thousand constraints', () => {
    const chain = [
      makeLeaf({ extensions: [altNames(...many(10_000, (i) => dns(`h${i}.example.org`)))] }),
      makeIntermediate({
        extensions: [...caExtensions, nameConstraints(many(10_000, (i) => dns(`c${i}.example.org`)))],
      }),
    ]
    const result = walk(chain, [root])
    expect(codes(result)).toContain('0 ERR_SECURE_SOCKET_CHAIN_LIMIT')
    expect(result.work.nameConstraintComparisons).toBeGreaterThan(100_000_000)
    expect(result.failures).toHaveLength(1)
  })

  it('a thousand of each are compared', () => {
    const names = many(1_000, (i) => dns(`h${i}.example.org`))
    const chain = [
      makeLeaf({ subject: 'A thousand', extensions: [altNames(...names)] }),
      makeIntermediate({ extensions: [...caExtensions, nameConstraints(names)] }),
    ]
    expect(codes(walk(chain, [root]))).toEqual([])
    expect(codes(walk(chain, [root], { limits: { nameConstraintComparisons: 1_000_000 } }))).toEqual([
      '0 ERR_SECURE_SOCKET_CHAIN_LIMIT',
    ])
  })
})
