import { element, oid, sequence, setOf, utf8String } from '@x/der'
import { describe, expect, it } from 'vitest'
import { type CrlStatus, isRevoked, parseCrl } from '../src/index.ts'
import { authority, DAY, distributionPoints, leaf, list, NOW, relativeName, subjectOf } from './authorities.ts'

const ca = authority('Issuing CA')
const certificate = leaf(ca)
const other = leaf(ca)
const intermediate = ca.issue({
  ca: true,
  subject: { commonName: 'Intermediate' },
  purpose: 'CA,cRLSign',
  notBefore: NOW - DAY,
})
const now = NOW

/** 'good', the reason of a revocation, or the code of an unknown. */
function word(status: CrlStatus): string {
  return status.status === 'good' ? 'good' : status.status === 'revoked' ? status.reason : status.code
}

describe('one complete list', () => {
  const revoked = [{ certificate: certificate.raw, date: NOW - 3 * DAY, reason: 'superseded' as const }]

  it('good, with what it rests on', () => {
    const crl = list(ca)
    expect(isRevoked(other.certificate, ca.certificate, { crls: crl, now })).toEqual({
      status: 'good',
      thisUpdate: new Date(NOW - DAY),
      nextUpdate: new Date(NOW + 6 * DAY),
      crls: [crl],
    })
  })

  it('revoked, with time and reason', () => {
    const crl = list(ca, { revoked: [{ ...revoked[0], invalidityDate: NOW - 4 * DAY }] })
    expect(isRevoked(certificate.cert, ca.cert, { crls: crl.toPem(), now })).toMatchObject({
      status: 'revoked',
      date: new Date(NOW - 3 * DAY),
      reason: 'superseded',
      invalidityDate: new Date(NOW - 4 * DAY),
      thisUpdate: new Date(NOW - DAY),
    })
  })

  it('every list of a bundle counts', () => {
    const bundle = [list(authority('Elsewhere')), list(authority('Issuing CA')), list(ca, { revoked })]
      .map((crl) => crl.toPem())
      .join('')
    expect(word(isRevoked(certificate.raw, ca.raw, { crls: bundle, now }))).toBe('superseded')
    expect(word(isRevoked(other.raw, ca.raw, { crls: bundle, now }))).toBe('good')
  })

  it('the same serial number of another issuer is not it', () => {
    const elsewhere = authority('Elsewhere')
    const serial = certificate.certificate.serialNumber
    expect(
      word(isRevoked(certificate.raw, ca.raw, { crls: [list(ca), list(elsewhere, { revoked: [{ serial }] })], now })),
    ).toBe('good')
  })

  it('names are compared without regard to case and spaces, as OpenSSL does', () => {
    const root = authority('Root')
    const shared = { ca: true as const, purpose: 'CA,cRLSign', notBefore: NOW - DAY }
    const lower = root.issue({ ...shared, subject: { commonName: 'some  ca ' } })
    const upper = root.issue({ ...shared, subject: { commonName: 'Some CA' }, privateKey: lower.privateKey })
    const one = leaf(lower)
    expect(
      word(isRevoked(one.raw, upper.raw, { crls: list(upper, { revoked: [{ certificate: one.raw }] }), now })),
    ).toBe('unspecified')
  })

  const expired = { thisUpdate: NOW - 9 * DAY, nextUpdate: NOW - DAY }
  const hold = [{ certificate: certificate.raw, reason: 'certificateHold' as const }]
  const unknownCritical = { oid: '1.2.3', critical: true, raw: Uint8Array.of(5, 0) }
  it.each<[string, Parameters<typeof list>[1], string]>([
    ['expired', expired, 'ERR_CRL_EXPIRED'],
    ['expired, but the revocation is final', { ...expired, revoked }, 'superseded'],
    ['expired, and the hold may be over', { ...expired, revoked: hold }, 'ERR_CRL_EXPIRED'],
    ['on hold', { revoked: hold }, 'certificateHold'],
    ['of tomorrow', { thisUpdate: NOW + DAY, nextUpdate: NOW + 2 * DAY }, 'ERR_CRL_NOT_YET_VALID'],
    [
      'of tomorrow, whatever it has',
      { thisUpdate: NOW + DAY, nextUpdate: NOW + 2 * DAY, revoked },
      'ERR_CRL_NOT_YET_VALID',
    ],
    ['without an end', { nextUpdate: null }, 'ERR_CRL_NO_NEXT_UPDATE'],
    ['without an end, but the revocation is final', { nextUpdate: null, revoked }, 'superseded'],
    ['unknown critical extension', { extensions: [unknownCritical] }, 'ERR_CRL_CRITICAL_EXTENSION'],
    ['of another entry', { revoked: [{ serial: 1, extensions: [unknownCritical] }] }, 'ERR_CRL_CRITICAL_EXTENSION'],
    [
      'removeFromCrl belongs into deltas',
      { revoked: [{ certificate: certificate.raw, reason: 'removeFromCrl' }] },
      'removeFromCrl',
    ],
    [
      'an entry for oneself of another issuer in a list that is not indirect',
      { revoked: [{ serial: 1, certificateIssuer: ca.raw }] },
      'ERR_CRL_INVALID',
    ],
  ])('%s', (_, options, expected) => {
    expect(word(isRevoked(certificate.raw, ca.raw, { crls: list(ca, options), now }))).toBe(expected)
  })

  it('of lists with the same scope the newest that is current decides', () => {
    const released = list(ca, { thisUpdate: NOW - 1000 })
    expect(word(isRevoked(certificate.raw, ca.raw, { crls: [list(ca, { revoked: hold }), released], now }))).toBe(
      'good',
    )
    const newer = list(ca, { revoked, thisUpdate: NOW - 1000 })
    expect(word(isRevoked(certificate.raw, ca.raw, { crls: [newer, list(ca)], now }))).toBe('superseded')
    const newerButExpired = list(ca, { thisUpdate: NOW - 1000, nextUpdate: NOW - 500 })
    expect(
      word(isRevoked(certificate.raw, ca.raw, { crls: [list(ca, { revoked: hold }), newerButExpired], now })),
    ).toBe('certificateHold')
  })

  it('what cannot be undone counts in an older list, and what can among lists of the same second', () => {
    const ask = (...crls: ReturnType<typeof list>[]) => word(isRevoked(certificate.raw, ca.raw, { crls, now }))
    expect(ask(list(ca, { revoked }), list(ca, { thisUpdate: NOW - 1000 }))).toBe('superseded')
    for (const entries of [revoked, hold]) {
      expect(ask(list(ca), list(ca, { revoked: entries }))).toBe(entries[0]?.reason)
      expect(ask(list(ca, { revoked: entries }), list(ca))).toBe(entries[0]?.reason)
    }
  })
})

describe('lists that ought not to be', () => {
  it('twice the same certificate: what cannot be undone counts', () => {
    const twice = (...reasons: ('certificateHold' | 'keyCompromise' | 'removeFromCrl')[]) =>
      list(ca, { revoked: reasons.map((reason) => ({ certificate: certificate.raw, reason })) })
    const ask = (crl: ReturnType<typeof list>) => word(isRevoked(certificate.raw, ca.raw, { crls: crl, now }))
    expect(ask(twice('certificateHold', 'keyCompromise'))).toBe('keyCompromise')
    expect(ask(twice('removeFromCrl', 'keyCompromise'))).toBe('keyCompromise')
    expect(ask(twice('removeFromCrl', 'certificateHold'))).toBe('certificateHold')
  })

  it('one for each key of the issuer: the newer does not stand for the older', () => {
    const root = authority('Root')
    const shared = {
      ca: true as const,
      subject: { commonName: 'Renewed' },
      purpose: 'CA,cRLSign',
      notBefore: NOW - DAY,
    }
    const [first, second] = [root.issue(shared), root.issue(shared)]
    const one = leaf(first)
    const crls = [
      list(first, { revoked: [{ certificate: one.raw }] }),
      list(second, { thisUpdate: NOW - 1000 }),
      list(root),
    ]
    const options = { crls, chain: root.raw, crlIssuers: second.raw, now }
    expect(word(isRevoked(one.raw, first.raw, options))).toBe('unspecified')
    expect(word(isRevoked(leaf(second).raw, second.raw, { ...options, crlIssuers: first.raw }))).toBe('good')
  })
})

describe('no list that counts', () => {
  it.each<[string, unknown, string]>([
    ['none at all', [], 'ERR_CRL_MISSING'],
    ['of another issuer', list(authority('Elsewhere')), 'ERR_CRL_MISSING'],
    ['of another CA of the same name', list(authority('Issuing CA')), 'ERR_CRL_KEY_MISMATCH'],
    ['HTML', '<html>', 'ERR_CRL_NOT_FOUND'],
    ['a turned bit', turned(list(ca).der), 'ERR_CRL_SIGNATURE_INVALID'],
  ])('%s', (_, crls, code) => {
    const status = isRevoked(certificate.raw, ca.raw, { crls: crls as Uint8Array, now })
    expect(word(status)).toBe(code)
    expect(status.status === 'unknown' && status.errors[0]?.code).toBe(code)
  })

  it('a list that cannot be read does not hide the others', () => {
    const crls = [Buffer.from('3003020101', 'hex'), list(ca, { revoked: [{ certificate: certificate.raw }] })]
    expect(word(isRevoked(certificate.raw, ca.raw, { crls, now }))).toBe('unspecified')
  })

  it('an issuer that may not sign lists', () => {
    const mute = ca.issue({
      ca: true,
      subject: { commonName: 'Mute' },
      keyUsage: ['keyCertSign'],
      notBefore: NOW - DAY,
    })
    expect(word(isRevoked(leaf(mute).raw, mute.raw, { crls: list(mute), now }))).toBe('ERR_CRL_SIGNER_UNAUTHORIZED')
  })

  it('certificates that do not fit, or are none', () => {
    const crls = list(ca)
    expect(word(isRevoked(certificate.raw, authority('Other').raw, { crls, now }))).toBe('ERR_CRL_ISSUER_MISMATCH')
    expect(word(isRevoked(Buffer.from('3000', 'hex'), ca.raw, { crls, now }))).toBe('ERR_CRL_CERTIFICATE_INVALID')
    expect(word(isRevoked(certificate.raw, 'no PEM', { crls, now }))).toBe('ERR_CRL_CERTIFICATE_INVALID')
    const broken = leaf(ca, { extensions: [{ oid: '2.5.29.31', raw: Uint8Array.of(1) }] })
    expect(word(isRevoked(broken.raw, ca.raw, { crls, now }))).toBe('ERR_CRL_CERTIFICATE_INVALID')
  })

  it('misuse is a TypeError', () => {
    const crls = list(ca)
    expect(() => isRevoked(certificate.raw, ca.raw, { crls, now: Number.NaN })).toThrow(TypeError)
    expect(() => isRevoked(certificate.raw, ca.raw, { crls, when: 1 } as never)).toThrow(/"when" option is not known/)
    expect(() => isRevoked(certificate.raw, ca.raw, { crls: 5 as unknown as string, now })).toThrow(TypeError)
    expect(() => isRevoked(5 as unknown as string, ca.raw, { crls, now })).toThrow(TypeError)
  })
})

describe('scope', () => {
  const uri = 'http://crl.example/1'
  const partitioned = leaf(ca, { crlUris: [uri] })
  it.each<[string, Uint8Array, Parameters<typeof list>[1], string]>([
    ['the partition it names', partitioned.raw, { scope: { uris: [uri] } }, 'good'],
    ['one of several names', partitioned.raw, { scope: { uris: ['http://crl.example/2', uri] } }, 'good'],
    ['another partition', partitioned.raw, { scope: { uris: ['http://crl.example/2'] } }, 'ERR_CRL_OUT_OF_SCOPE'],
    ['another spelling of it', partitioned.raw, { scope: { uris: ['http://CRL.example/1'] } }, 'ERR_CRL_OUT_OF_SCOPE'],
    ['any partition, where it names none', certificate.raw, { scope: { uris: [uri] } }, 'ERR_CRL_OUT_OF_SCOPE'],
    ['the whole', partitioned.raw, {}, 'good'],
    ['by the name of its issuer', partitioned.raw, { scope: { directoryNames: [ca.raw] } }, 'good'],
    ['by another name', partitioned.raw, { scope: { directoryNames: [other.raw] } }, 'ERR_CRL_OUT_OF_SCOPE'],
    ['users, asked for a user', certificate.raw, { scope: { only: 'users' } }, 'good'],
    ['users, asked for a CA', intermediate.raw, { scope: { only: 'users' } }, 'ERR_CRL_OUT_OF_SCOPE'],
    ['CAs, asked for a CA', intermediate.raw, { scope: { only: 'cas' } }, 'good'],
    ['CAs, asked for a user', certificate.raw, { scope: { only: 'cas' } }, 'ERR_CRL_OUT_OF_SCOPE'],
    ['attribute certificates', certificate.raw, { scope: { only: 'attributes' } }, 'ERR_CRL_OUT_OF_SCOPE'],
    [
      'users of a partition, asked for another',
      certificate.raw,
      { scope: { only: 'users', uris: [uri] } },
      'ERR_CRL_OUT_OF_SCOPE',
    ],
    ['some reasons', certificate.raw, { scope: { reasons: ['keyCompromise'] } }, 'ERR_CRL_REASONS_INCOMPLETE'],
  ])('%s', (_, subject, options, expected) => {
    expect(word(isRevoked(subject, ca.raw, { crls: list(ca, options), now }))).toBe(expected)
  })

  it('a list that is out of scope does not revoke', () => {
    const crls = list(ca, { scope: { uris: ['http://crl.example/2'] }, revoked: [{ certificate: partitioned.raw }] })
    expect(word(isRevoked(partitioned.raw, ca.raw, { crls, now }))).toBe('ERR_CRL_OUT_OF_SCOPE')
  })

  it('an expired list tells more than one out of scope', () => {
    const crls = [list(ca, { scope: { uris: ['http://crl.example/2'] } }), list(ca, { nextUpdate: NOW - 1 })]
    const status = isRevoked(partitioned.raw, ca.raw, { crls, now })
    expect(status).toMatchObject({ code: 'ERR_CRL_EXPIRED' })
    expect(status.status === 'unknown' && status.errors.map(({ code }) => code)).toEqual([
      'ERR_CRL_EXPIRED',
      'ERR_CRL_OUT_OF_SCOPE',
    ])
  })

  it('lists for some reasons are good together, and one of them revokes', () => {
    const some = list(ca, { scope: { reasons: ['keyCompromise', 'caCompromise'] } })
    const rest = list(ca, {
      scope: {
        reasons: [
          'affiliationChanged',
          'superseded',
          'cessationOfOperation',
          'certificateHold',
          'privilegeWithdrawn',
          'aaCompromise',
        ],
      },
      nextUpdate: NOW + DAY,
      revoked: [{ certificate: other.raw, reason: 'superseded' }],
    })
    const good = isRevoked(certificate.raw, ca.raw, { crls: [some, rest], now })
    expect(good).toMatchObject({ status: 'good', nextUpdate: new Date(NOW + DAY) })
    expect(good.status === 'good' && good.crls).toHaveLength(2)
    expect(word(isRevoked(other.raw, ca.raw, { crls: [some, rest], now }))).toBe('superseded')
    expect(
      word(
        isRevoked(certificate.raw, ca.raw, { crls: [rest, list(ca, { scope: { reasons: ['keyCompromise'] } })], now }),
      ),
    ).toBe('ERR_CRL_REASONS_INCOMPLETE')
  })

  it('a point named relative to the issuer, on either side', () => {
    const rdn = setOf(sequence(oid('2.5.4.3'), utf8String('Partition 1')))
    const whole = sequence(subjectOf(ca).subarray(2), rdn)
    const scoped = (name: Uint8Array) => [{ oid: '2.5.29.28', critical: true, raw: sequence(element(0xa0, name)) }]
    const relative = leaf(ca, { extensions: [distributionPoints({ relative: rdn })] })
    const full = leaf(ca, { extensions: [distributionPoints({ directoryName: whole })] })
    const other = setOf(sequence(oid('2.5.4.3'), utf8String('Partition 2')))
    const ask = (subject: Uint8Array, name: Uint8Array) =>
      word(isRevoked(subject, ca.raw, { crls: list(ca, { extensions: scoped(name) }), now }))
    const fullName = element(0xa0, element(0xa4, whole))
    for (const subject of [relative.raw, full.raw])
      for (const name of [relativeName(rdn), fullName]) expect(ask(subject, name)).toBe('good')
    expect(ask(relative.raw, relativeName(other))).toBe('ERR_CRL_OUT_OF_SCOPE')
    expect(ask(certificate.raw, relativeName(rdn))).toBe('ERR_CRL_OUT_OF_SCOPE')
  })

  it("a certificate's point for some reasons limits the list", () => {
    const limited = leaf(ca, { extensions: [distributionPoints({ uris: [uri], reasons: [1] })] })
    expect(word(isRevoked(limited.raw, ca.raw, { crls: list(ca, { scope: { uris: [uri] } }), now }))).toBe(
      'ERR_CRL_REASONS_INCOMPLETE',
    )
    expect(word(isRevoked(limited.raw, ca.raw, { crls: list(ca), now }))).toBe('good')
  })
})

describe('indirect lists', () => {
  const root = authority('Root')
  const issuing = root.issue({
    ca: true,
    subject: { commonName: 'Issuing' },
    purpose: 'CA,cRLSign',
    notBefore: NOW - DAY,
  })
  const lister = root.issue({
    subject: { commonName: 'Lister' },
    keyUsage: ['cRLSign'],
    extendedKeyUsage: [],
    notBefore: NOW - DAY,
  })
  const uri = 'http://crl.example/indirect'
  const subject = leaf(issuing, { extensions: [distributionPoints({ uris: [uri], crlIssuer: lister })] })
  const scope = { uris: [uri], indirect: true }
  const rootList = list(root)
  const ask = (crls: Parameters<typeof isRevoked>[2]['crls'], options: object = {}): string =>
    word(isRevoked(subject.raw, issuing.raw, { crls, chain: root.raw, crlIssuers: lister.raw, now, ...options }))

  it('are believed where a member of the chain issued their signer for it, and that signer is good', () => {
    expect(ask([list(lister, { scope }), rootList])).toBe('good')
    expect(
      ask([list(lister, { scope, revoked: [{ certificate: subject.raw, certificateIssuer: issuing.raw }] }), rootList]),
    ).toBe('unspecified')
  })

  it('an entry counts for the issuer named last', () => {
    const serial = subject.certificate.serialNumber
    const entries = (before: Uint8Array, after: Uint8Array) => [
      { serial: 1, certificateIssuer: before },
      { serial, reason: 'keyCompromise' as const },
      { serial: 2, certificateIssuer: after },
      { serial, reason: 'superseded' as const },
    ]
    expect(ask([list(lister, { scope, revoked: entries(issuing.raw, root.raw) }), rootList])).toBe('keyCompromise')
    expect(ask([list(lister, { scope, revoked: entries(root.raw, issuing.raw) }), rootList])).toBe('superseded')
    expect(ask([list(lister, { scope, revoked: entries(root.raw, root.raw) }), rootList])).toBe('good')
    expect(ask([list(lister, { scope, revoked: [{ serial }] }), rootList])).toBe('good')
  })

  it.each<[string, Parameters<typeof ask>, string]>([
    ['the signer is not at hand', [[list(lister, { scope }), rootList], { crlIssuers: [] }], 'ERR_CRL_ISSUER_MISMATCH'],
    [
      'its issuer is not in the chain',
      [[list(lister, { scope }), rootList], { chain: [] }],
      'ERR_CRL_SIGNER_UNAUTHORIZED',
    ],
    ['its own status is not known', [[list(lister, { scope })]], 'ERR_CRL_SIGNER_UNAUTHORIZED'],
    [
      'it is revoked',
      [[list(lister, { scope }), list(root, { revoked: [{ certificate: lister.raw }] })]],
      'ERR_CRL_SIGNER_UNAUTHORIZED',
    ],
    ['not marked as indirect', [[list(lister, { scope: { uris: [uri] } }), rootList]], 'ERR_CRL_OUT_OF_SCOPE'],
    [
      'its time is over',
      [[list(lister, { scope }), rootList], { now: NOW + 400 * DAY }],
      'ERR_CRL_SIGNER_UNAUTHORIZED',
    ],
  ])('%s', (_, args, code) => {
    expect(ask(...args)).toBe(code)
  })

  it('a signer without cRLSign, by another issuer, or with a critical extension we do not judge', () => {
    const make = (options: object, by = root) =>
      by.issue({
        subject: { commonName: 'Lister' },
        keyUsage: ['cRLSign'],
        extendedKeyUsage: [],
        notBefore: NOW - DAY,
        ...options,
      })
    const code = (signer: ReturnType<typeof make>) =>
      ask([list(signer, { scope }), rootList], { crlIssuers: signer.raw })
    expect(code(make({}))).toBe('good')
    expect(code(make({ keyUsage: ['digitalSignature'] }))).toBe('ERR_CRL_SIGNER_UNAUTHORIZED')
    expect(code(make({ keyUsage: [] }))).toBe('ERR_CRL_SIGNER_UNAUTHORIZED')
    expect(code(make({}, authority('Root')))).toBe('ERR_CRL_SIGNER_UNAUTHORIZED')
    expect(code(make({ extensions: [{ oid: '1.2.3', critical: true, raw: Uint8Array.of(5, 0) }] }))).toBe(
      'ERR_CRL_SIGNER_UNAUTHORIZED',
    )
  })

  it('a certificate does not vouch for itself, nor does one of the chain that is no CA', () => {
    const selfish = issuing.issue({
      subject: { commonName: 'Selfish' },
      keyUsage: ['cRLSign'],
      extendedKeyUsage: [],
      notBefore: NOW - DAY,
    })
    const own = issuing.issue({
      subject: { commonName: 'Selfish' },
      privateKey: selfish.privateKey,
      keyUsage: [],
      extendedKeyUsage: [],
      notBefore: NOW - DAY,
      extensions: [distributionPoints({ uris: [uri], crlIssuer: selfish })],
    })
    const crls = [list(own, { scope }), rootList]
    const chain = [own.raw, issuing.raw, root.raw]
    expect(word(isRevoked(own.raw, issuing.raw, { crls, chain, now }))).toBe('ERR_CRL_ISSUER_MISMATCH')
    expect(word(isRevoked(own.raw, issuing.raw, { crls, chain: [...chain, selfish.raw], now }))).toBe(
      'ERR_CRL_ISSUER_MISMATCH',
    )
    expect(ask([list(lister, { scope }), rootList], { chain: [subject.raw, issuing.raw, root.raw] })).toBe('good')
  })

  it('the right one is found among several of its name', () => {
    const others = Array.from({ length: 5 }, () => authority('Lister'))
    expect(
      ask([list(lister, { scope }), rootList], { crlIssuers: [...others.map(({ raw }) => raw), lister.raw] }),
    ).toBe('good')
  })

  it('a key for lists alone', () => {
    const key = root.issue({
      ca: true,
      subject: { commonName: 'Issuing' },
      keyUsage: ['cRLSign'],
      notBefore: NOW - DAY,
    })
    const plain = leaf(issuing)
    const options = { chain: root.raw, crlIssuers: key.raw, now }
    expect(word(isRevoked(plain.raw, issuing.raw, { crls: [list(key), rootList], ...options }))).toBe('good')
    expect(word(isRevoked(plain.raw, issuing.raw, { crls: [list(key)], ...options }))).toBe(
      'ERR_CRL_SIGNER_UNAUTHORIZED',
    )
  })

  it('by a point without a name: the list of its issuer', () => {
    const nameless = leaf(issuing, { extensions: [distributionPoints({ crlIssuer: lister })] })
    const options = { chain: root.raw, crlIssuers: lister.raw, now }
    expect(
      word(
        isRevoked(nameless.raw, issuing.raw, {
          crls: [list(lister, { scope: { indirect: true } }), rootList],
          ...options,
        }),
      ),
    ).toBe('good')
    expect(
      word(
        isRevoked(nameless.raw, issuing.raw, {
          crls: [list(lister, { scope: { indirect: true, directoryNames: [lister.raw] } }), rootList],
          ...options,
        }),
      ),
    ).toBe('good')
    const named = leaf(issuing, {
      extensions: [distributionPoints({ directoryName: subjectOf(root), crlIssuer: lister })],
    })
    expect(
      word(
        isRevoked(named.raw, issuing.raw, {
          crls: [list(lister, { scope: { indirect: true, directoryNames: [lister.raw] } }), rootList],
          ...options,
        }),
      ),
    ).toBe('ERR_CRL_OUT_OF_SCOPE')
  })
})

describe('delta lists', () => {
  const base = (revoked: NonNullable<Parameters<typeof list>[1]>['revoked'] = [], options: object = {}) =>
    list(ca, { number: 10, revoked, ...options })
  const delta = (revoked: NonNullable<Parameters<typeof list>[1]>['revoked'] = [], options: object = {}) =>
    list(ca, { number: 12, baseNumber: 10, thisUpdate: NOW - 1000, nextUpdate: NOW + DAY, revoked, ...options })
  const as = (reason: 'keyCompromise' | 'certificateHold' | 'removeFromCrl') => [
    { certificate: certificate.raw, reason },
  ]
  const expired = { thisUpdate: NOW - 9 * DAY, nextUpdate: NOW - DAY }

  it.each<[string, ReturnType<typeof base>[], string]>([
    ['nothing new', [base(), delta()], 'good'],
    ['revoked since', [base(), delta(as('keyCompromise'))], 'keyCompromise'],
    ['released since', [base(as('certificateHold')), delta(as('removeFromCrl'))], 'good'],
    ['only a hold can be released', [base(as('keyCompromise')), delta(as('removeFromCrl'))], 'keyCompromise'],
    ['still on hold', [base(as('certificateHold')), delta()], 'certificateHold'],
    ['a delta alone', [delta()], 'ERR_CRL_DELTA_MISMATCH'],
    ['a delta alone revokes', [delta(as('keyCompromise'))], 'keyCompromise'],
    ['a delta alone does not release', [delta(as('removeFromCrl'))], 'ERR_CRL_DELTA_MISMATCH'],
    ['it keeps an expired list current', [base([], expired), delta()], 'good'],
    ['it keeps an expired hold', [base(as('certificateHold'), expired), delta()], 'certificateHold'],
    ['but not one too old for it', [base([], { ...expired, number: 9 }), delta()], 'ERR_CRL_DELTA_MISMATCH'],
    ['a list too old for it, current, without it', [base([], { number: 9 }), delta()], 'good'],
    ['a list too old for it, and it revokes', [base([], { number: 9 }), delta(as('keyCompromise'))], 'keyCompromise'],
    [
      'a list too old for it cannot be released by it',
      [base(as('certificateHold'), { number: 9 }), delta(as('removeFromCrl'))],
      'certificateHold',
    ],
    [
      'an older delta than the list',
      [base(as('certificateHold'), { number: 12 }), delta(as('removeFromCrl'))],
      'certificateHold',
    ],
    ['an expired delta', [base([], expired), delta([], { nextUpdate: NOW - 500 })], 'ERR_CRL_EXPIRED'],
    [
      'a list without a number',
      [list(ca, { revoked: as('certificateHold') }), delta(as('removeFromCrl'))],
      'certificateHold',
    ],
    [
      'a delta of another scope',
      [base(as('certificateHold')), delta(as('removeFromCrl'), { scope: { only: 'users' } })],
      'certificateHold',
    ],
    [
      'the newest of two',
      [base(), delta(as('certificateHold'), { number: 11, thisUpdate: NOW - 5000 }), delta()],
      'good',
    ],
    [
      'an expired delta revokes for good',
      [base(), delta(as('keyCompromise'), { nextUpdate: NOW - 500 })],
      'keyCompromise',
    ],
    [
      'so does an expired delta that nothing continues',
      [delta(as('keyCompromise'), { nextUpdate: NOW - 500 })],
      'keyCompromise',
    ],
    [
      'so does an older delta than the newest',
      [base(), delta(as('keyCompromise'), { number: 11, thisUpdate: NOW - 5000 }), delta()],
      'keyCompromise',
    ],
    [
      'so does a delta older than the list',
      [base([], { number: 13, thisUpdate: NOW - 500 }), delta(as('keyCompromise'))],
      'keyCompromise',
    ],
    [
      'an expired delta with a hold says nothing',
      [base(), delta(as('certificateHold'), { nextUpdate: NOW - 500 })],
      'good',
    ],
    ['a delta for CAs only', [base(), delta([], { scope: { only: 'cas' } })], 'good'],
  ])('%s', (_, crls, expected) => {
    expect(word(isRevoked(certificate.raw, ca.raw, { crls, now }))).toBe(expected)
  })

  it('the answer holds as long as the delta', () => {
    const status = isRevoked(certificate.raw, ca.raw, { crls: [base(), delta()], now })
    expect(status).toMatchObject({ status: 'good', nextUpdate: new Date(NOW + DAY), thisUpdate: new Date(NOW - DAY) })
  })

  it('a delta by another key of the issuer is not applied', () => {
    const root = authority('Root')
    const first = root.issue({
      ca: true,
      subject: { commonName: 'Twice' },
      purpose: 'CA,cRLSign',
      notBefore: NOW - DAY,
    })
    const second = root.issue({
      ca: true,
      subject: { commonName: 'Twice' },
      keyUsage: ['cRLSign'],
      notBefore: NOW - DAY,
    })
    const one = leaf(first)
    const hold = [{ certificate: one.raw, reason: 'certificateHold' as const }]
    const release = [{ certificate: one.raw, reason: 'removeFromCrl' as const }]
    const crls = [
      list(first, { number: 1, revoked: hold }),
      list(second, { number: 2, baseNumber: 1, revoked: release }),
      list(root),
    ]
    expect(word(isRevoked(one.raw, first.raw, { crls, chain: root.raw, crlIssuers: second.raw, now }))).toBe(
      'certificateHold',
    )
  })
})

describe('lists parsed once', () => {
  it('are verified once for a key, and again for another', () => {
    const crl = parseCrl(list(ca).der)
    expect(word(isRevoked(certificate.raw, ca.raw, { crls: crl, now }))).toBe('good')
    expect(word(isRevoked(certificate.raw, ca.raw, { crls: crl, now }))).toBe('good')
    const bare = { omit: ['subjectKeyIdentifier'], subject: { commonName: 'Issuing CA' } }
    const impostor = authority('Root').issue({ ca: true, ...bare, purpose: 'CA,cRLSign', notBefore: NOW - DAY })
    expect(word(isRevoked(leaf(impostor).raw, impostor.raw, { crls: crl, now }))).toBe('ERR_CRL_SIGNATURE_INVALID')
    expect(word(isRevoked(certificate.raw, ca.raw, { crls: crl, now }))).toBe('good')
  })
})

function turned(der: Uint8Array): Uint8Array {
  const out = der.slice()
  out[out.length - 5] = (out[out.length - 5] as number) ^ 1
  return out
}
