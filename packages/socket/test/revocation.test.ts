import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext, type TlsOptions } from 'node:tls'
import { nameHash } from '@x/ca-store'
import { createCrl, type CrlOptions } from '@x/crl'
import { CertificateView } from '@x/der/x509'
import { createOcspResponse, OcspCache, ocspCacheKey, type OcspSingle, type OcspStore, parseOcspRequest } from '@x/ocsp'
import { type Authority, certificateToPem, createAuthority, fingerprint, type IssuedIdentity, writePem } from '@x/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, type ConnectOptions, type RevocationOptions } from '../src/index.ts'
import { rejection, tlsServer } from './support.ts'

const DAY = 86_400_000
const root = createAuthority('revocation root')
const intermediate = root.issue({ ca: true, ocspUris: ['http://ocsp.test/root'], crlUris: ['http://crl.test/root'] })
const leaf = intermediate.issue({
  names: 'localhost',
  ocspUris: ['http://ocsp.test/intermediate'],
  crlUris: ['http://crl.test/intermediate'],
})
const other = intermediate.issue('localhost')
const must = intermediate.issue({ names: 'localhost', mustStaple: true })

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'x-socket-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
function file(content: string): string {
  const path = join(folder, `${files++}.pem`)
  writeFileSync(path, content)
  return path
}

type Status = OcspSingle['status']
function staple(
  status: Status,
  certificate: IssuedIdentity = leaf,
  signer: Authority = intermediate,
  more: object = {},
): Uint8Array {
  return createOcspResponse({
    signer,
    responses: [{ certificate: certificate.certificate, issuer: signer.certificate, status, ...more }],
  })
}
const stale = { thisUpdate: Date.now() - 9 * DAY, nextUpdate: Date.now() - 2 * DAY }

function list(issuer: Authority, revoked: readonly IssuedIdentity[] = [], more: Partial<CrlOptions> = {}): string {
  const { der } = createCrl({ issuer, revoked: revoked.map(({ certificate }) => ({ certificate })), ...more })
  return writePem('X509 CRL', der)
}

interface Served {
  readonly served?: { readonly cert: string; readonly key: string }
  readonly stapled?: Uint8Array | undefined
  readonly server?: TlsOptions
}

/** The revocation outcome of an accepted peer, `passed staple` for one, or the code with which it was refused. */
async function judged(
  revocation: RevocationOptions | undefined,
  { served = leaf, stapled, server: options = {} }: Served = {},
  more: ConnectOptions = {},
): Promise<string> {
  await using server = await tlsServer({ cert: served.cert, key: served.key, ...options })
  if (stapled !== undefined)
    server.server.on('OCSPRequest', (_certificate, _issuer, done: (error: null, staple: Buffer) => void) =>
      done(null, Buffer.from(stapled)),
    )
  const ca = 'secureContext' in more ? {} : { ca: root.ca }
  const rules = revocation === undefined ? {} : { revocation: { cache: new OcspCache(), ...revocation } }
  try {
    const socket = await connect({ host: 'localhost', port: server.port, ...ca, ...rules, ...more })
    socket.destroy()
    const { revocation: outcome } = socket.verification?.outcomes ?? expect.unreachable()
    if (outcome.result === 'passed') return `passed ${outcome.evidence.by} ${outcome.evidence.of.join('+')}`
    return outcome.result === 'waived' ? `waived ${outcome.waiver.by}` : 'impossible'
  } catch (error) {
    expect(server.received()).toBe('')
    return (error as { code: string }).code
  }
}

describe('a staple', () => {
  const table: readonly [what: string, stapled: Uint8Array | undefined, off: string, tried: string, must: string][] = [
    ['good', staple('good'), 'waived option', 'passed staple 0', 'passed staple 0'],
    ['revoked', staple('revoked'), 'waived option', 'CERT_REVOKED', 'CERT_REVOKED'],
    ['unknown', staple('unknown'), 'waived option', 'ERR_OCSP_STATUS_UNKNOWN', 'ERR_OCSP_STATUS_UNKNOWN'],
    ['absent', undefined, 'waived option', 'waived soft-failure', 'ERR_OCSP_STAPLE_MISSING'],
    [
      'expired',
      staple('good', leaf, intermediate, stale),
      'waived option',
      'waived soft-failure',
      'ERR_OCSP_STAPLE_MISSING',
    ],
    [
      'for another certificate',
      staple('good', other),
      'waived option',
      'waived soft-failure',
      'ERR_OCSP_STAPLE_MISSING',
    ],
    ['by another CA', staple('good', leaf, root), 'waived option', 'waived soft-failure', 'ERR_OCSP_STAPLE_MISSING'],
    ['broken', Buffer.from('no response'), 'waived option', 'waived soft-failure', 'ERR_OCSP_STAPLE_MISSING'],
  ]
  it.each(table)('%s', async (_what, stapled, underOff, underTry, underMust) => {
    expect(await judged({ staple: 'off' }, { stapled })).toBe(underOff)
    expect(await judged({ staple: 'try' }, { stapled })).toBe(underTry)
    expect(await judged({ staple: 'must' }, { stapled })).toBe(underMust)
  })

  it('is needed by a certificate that says so (RFC 7633)', async () => {
    expect(await judged({}, { served: must })).toBe('ERR_OCSP_STAPLE_MISSING')
    expect(await judged({}, { served: must, stapled: Buffer.from('no response') })).toBe('ERR_OCSP_STAPLE_MISSING')
    expect(await judged({}, { served: must, stapled: staple('good', must) })).toBe('passed staple 0')
  })

  it('is shown to onStaple, whose throw refuses, and whose Promise too', async () => {
    const seen: (Uint8Array | undefined)[] = []
    const bytes = staple('good')
    expect(await judged({ onStaple: (shown) => void seen.push(shown) }, { stapled: bytes })).toBe('passed staple 0')
    expect(await judged({ onStaple: (shown) => void seen.push(shown) })).toBe('waived soft-failure')
    expect(seen).toEqual([Buffer.from(bytes), undefined])
    const throwing = (): never => {
      throw Object.assign(new Error('no'), { code: 'NO' })
    }
    expect(await judged({ onStaple: throwing }, { stapled: bytes })).toBe('NO')
    const failing = (() => Promise.reject(new Error('no'))) as unknown as () => void
    expect(await judged({ onStaple: failing }, { stapled: bytes })).toBe('ERR_INVALID_ARG_VALUE')
  })

  it('is believed of an issuer that holds the key, and of no look-alike', async () => {
    // whoever has stolen a pinned key can be its own CA and call itself good
    const thief = createAuthority('thief')
    const stolen = thief.issue({ names: 'localhost', privateKey: leaf.privateKey })
    const chain = { cert: stolen.cert + thief.cert, key: leaf.key }
    const pinned = { verify: { fingerprints: fingerprint(leaf.certificate, { of: 'public-key' }) } }
    const stapled = staple('good', stolen, thief)
    expect(await judged({ staple: 'must' }, { served: chain, stapled }, pinned)).toBe('ERR_OCSP_STAPLE_MISSING')
    expect(await judged({ failure: 'hard' }, { served: chain, stapled }, pinned)).not.toMatch(/passed|waived/)
    // a CA of the right name and another key has not signed the pinned certificate
    const subject = { commonName: 'Test intermediate CA' }
    const lookAlike = root.issue({ ca: true, subject, omit: ['subjectKeyIdentifier'] })
    const served = { cert: certificateToPem([leaf.certificate, lookAlike.certificate]), key: leaf.key }
    const exact = { ca: thief.ca, verify: { fingerprints: fingerprint(leaf.certificate) } }
    expect(await judged({ staple: 'must' }, { served, stapled: staple('good', leaf, lookAlike) }, exact)).toBe(
      'ERR_OCSP_STAPLE_MISSING',
    )
  })
})

describe('a pin', () => {
  const pinned = { ca: createAuthority('stranger').ca, verify: { fingerprints: fingerprint(leaf.certificate) } }

  it('accepts without a status where none is demanded', async () => {
    expect(await judged({}, {}, pinned)).toBe('waived soft-failure')
    expect(await judged({ staple: 'must' }, { stapled: staple('good') }, pinned)).toBe('passed staple 0')
  })

  it.each([
    ['a revoking staple', {}, { stapled: staple('revoked') }, 'CERT_REVOKED'],
    ['must without a staple', { staple: 'must' as const }, {}, 'ERR_OCSP_STAPLE_MISSING'],
    [
      'hard without a status',
      { failure: 'hard' as const, staple: 'off' as const },
      {},
      'ERR_SECURE_SOCKET_NO_REVOCATION_STATUS',
    ],
    ['must-staple', {}, { served: must }, 'ERR_OCSP_STAPLE_MISSING'],
  ])('does not override %s', async (_what, revocation: RevocationOptions, served, code) => {
    const fingerprints = [leaf, must].map(({ certificate }) => fingerprint(certificate))
    expect(await judged(revocation, served, { ...pinned, verify: { fingerprints } })).toBe(code)
  })

  it('does not override a revocation list, nor one that is missing for want of an issuer', async () => {
    expect(await judged({ crlFile: file(list(intermediate, [leaf])) }, {}, pinned)).toBe('CERT_REVOKED')
    const alone = createAuthority({ subject: { commonName: 'localhost' }, purpose: 'server' })
    const verify = { fingerprints: fingerprint(alone.certificate) }
    expect(await judged({ crlFile: file(list(intermediate)) }, { served: alone }, { ...pinned, verify })).toBe(
      'UNABLE_TO_GET_CRL',
    )
  })
})

describe('revocation lists', () => {
  const both = list(intermediate) + list(root)
  const ofRoot = list(root)
  const table: readonly [what: string, content: string, leaf: string, chain: string][] = [
    ['that have neither', both, 'passed crl 0', 'passed crl 0+1'],
    ['that revoke the leaf', list(intermediate, [leaf]) + ofRoot, 'CERT_REVOKED', 'CERT_REVOKED'],
    ['that revoke the intermediate', list(intermediate) + list(root, [intermediate]), 'passed crl 0', 'CERT_REVOKED'],
    [
      'of which only the second revokes',
      list(intermediate, [other]) + list(intermediate, [leaf]) + ofRoot,
      'CERT_REVOKED',
      'CERT_REVOKED',
    ],
    ['without that of the intermediate', list(intermediate), 'passed crl 0', 'UNABLE_TO_GET_CRL'],
    ['of the root alone', ofRoot, 'UNABLE_TO_GET_CRL', 'UNABLE_TO_GET_CRL'],
    ['that have expired', list(intermediate, [], stale), 'CRL_HAS_EXPIRED', 'CRL_HAS_EXPIRED'],
    ['of tomorrow', list(intermediate, [], { thisUpdate: Date.now() + DAY }), 'CRL_NOT_YET_VALID', 'CRL_NOT_YET_VALID'],
    ['of another CA of that name', list(root.issue({ ca: true })), 'ERR_CRL_KEY_MISMATCH', 'ERR_CRL_KEY_MISMATCH'],
    ['for CAs only', list(intermediate, [], { scope: { only: 'cas' } }), 'DIFFERENT_CRL_SCOPE', 'DIFFERENT_CRL_SCOPE'],
  ]
  it.each(table)('%s', async (_what, content, forLeaf, forChain) => {
    const crlFile = file(content)
    expect(await judged({ crlFile, staple: 'off' })).toBe(forLeaf)
    expect(await judged({ crlFile, staple: 'off', crlDepth: 'chain' })).toBe(forChain)
    if (forChain.startsWith('passed')) return
    expect(await judged({ crlFile, crlDepth: 'chain', staple: 'try' }, { stapled: staple('good') })).toBe(forChain)
  })

  it('as node:tls takes them mean the whole chain', async () => {
    expect(await judged({ staple: 'off' }, {}, { crl: both })).toBe('passed crl 0+1')
    expect(await judged({ staple: 'off' }, {}, { crl: [list(intermediate), list(root, [intermediate])] })).toBe(
      'CERT_REVOKED',
    )
    expect(await judged({ staple: 'off' }, {}, { crl: list(intermediate) })).toBe('UNABLE_TO_GET_CRL')
    expect(await judged({ staple: 'off' }, {}, { crl: [] })).toBe('UNABLE_TO_GET_CRL')
  })

  it('that are no lists, or no file, refuse', async () => {
    expect(await judged({ crlFile: file('not a list') })).toMatch(/CRL/)
    expect(await judged({ crlFile: join(folder, 'none') })).toBe('ENOENT')
    expect(await judged({ crlDepth: 'leaf' })).toBe('UNABLE_TO_GET_CRL')
  })

  it('are looked for in a hashed directory with caPath', async () => {
    const hash = nameHash(new CertificateView(intermediate.certificate.raw).subject)
    const path = mkdtempSync(join(folder, 'hashed-'))
    writeFileSync(join(path, `${nameHash(new CertificateView(root.certificate.raw).subject)}.0`), root.ca)
    const options = { ca: undefined as never, caPath: path }
    expect(await judged({ crlDepth: 'leaf' }, {}, options)).toBe('UNABLE_TO_GET_CRL')
    writeFileSync(join(path, `${hash}.r0`), list(intermediate))
    expect(await judged({ crlDepth: 'leaf' }, {}, options)).toBe('passed crl 0')
    writeFileSync(join(path, `${hash}.r1`), list(intermediate, [leaf]))
    expect(await judged({ crlDepth: 'leaf' }, {}, options)).toBe('CERT_REVOKED')
  })

  it('are asked about the path that was proven, not about a look-alike that stands before it', async () => {
    // same name as the revoked intermediate, another serial, nobody's signature: OpenSSL passes over it
    const impostor = createAuthority('revocation root').issue({ ca: true })
    const served = {
      cert: certificateToPem([leaf.certificate, impostor.certificate, intermediate.certificate]),
      key: leaf.key,
    }
    const crlFile = file(list(intermediate) + list(root, [intermediate]))
    expect(await judged({ crlFile, crlDepth: 'chain', staple: 'off' }, { served })).toBe('CERT_REVOKED')
  })
})

describe('a leaf that is trusted for itself', () => {
  const trusted = { ca: leaf.certificate.toString() }
  it('needs no status, and is refused where its CA has revoked it', async () => {
    expect(await judged({ failure: 'hard' }, {}, trusted)).toBe('waived option')
    expect(await judged({ crlFile: file(list(intermediate)) }, {}, trusted)).toBe('waived option')
    expect(await judged({ crlFile: file(list(intermediate, [leaf])) }, {}, trusted)).toBe('CERT_REVOKED')
    expect(await judged({}, { stapled: staple('revoked') }, trusted)).toBe('CERT_REVOKED')
    expect(await judged({}, { stapled: staple('good') }, trusted)).toBe('waived option')
    const both = { ca: [leaf.certificate, root.certificate] }
    expect(await judged({ crlFile: file(list(intermediate, [leaf])) }, {}, both)).toBe('CERT_REVOKED')
    const lookAlike = createAuthority({ subject: { commonName: 'Test intermediate CA' } })
    const served = { cert: certificateToPem([leaf.certificate, lookAlike.certificate]), key: leaf.key }
    expect(await judged({ crlFile: file(list(lookAlike, [leaf])) }, { served }, trusted)).toBe('waived option')
  })
})

describe('over the network', () => {
  interface Network {
    readonly fetch: typeof globalThis.fetch
    readonly asked: string[]
  }
  /** Responders and distribution points under ocsp.test and crl.test; a host that is not there fails. */
  function network(answers: { readonly [url: string]: string }): Network {
    const asked: string[] = []
    return {
      asked,
      fetch: async (input, init) => {
        const url = input instanceof Request ? input.url : String(input)
        asked.push(url)
        const answer = answers[url]
        if (answer === undefined) throw new TypeError('fetch failed')
        if (url.startsWith('http://crl.test/')) return new Response(answer)
        const { nonce } = parseOcspRequest(new Uint8Array(init?.body as unknown as ArrayBuffer))
        const [certificate, signer] = url.endsWith('root') ? [intermediate, root] : [leaf, intermediate]
        const body = createOcspResponse({
          signer,
          responses: [{ certificate: certificate.certificate, issuer: signer.certificate, status: answer as Status }],
          ...(nonce === undefined ? {} : { nonce }),
        })
        return new Response(Buffer.from(body), { headers: { 'content-type': 'application/ocsp-response' } })
      },
    }
  }
  const ofLeaf = 'http://ocsp.test/intermediate'
  const ofIntermediate = 'http://ocsp.test/root'
  const hard = { online: true, failure: 'hard', depth: 'chain' } as const

  it.each<[string, { [url: string]: string }, string, string]>([
    ['good', { [ofLeaf]: 'good', [ofIntermediate]: 'good' }, 'passed ocsp 0', 'passed ocsp 0+1'],
    ['a revoked leaf', { [ofLeaf]: 'revoked', [ofIntermediate]: 'good' }, 'CERT_REVOKED', 'CERT_REVOKED'],
    ['a revoked intermediate', { [ofLeaf]: 'good', [ofIntermediate]: 'revoked' }, 'passed ocsp 0', 'CERT_REVOKED'],
    ['an unknown leaf', { [ofLeaf]: 'unknown' }, 'ERR_OCSP_STATUS_UNKNOWN', 'ERR_OCSP_STATUS_UNKNOWN'],
    ['nobody there', {}, 'waived soft-failure', 'ERR_OCSP_FETCH_FAILED'],
    [
      'lists instead',
      { 'http://crl.test/intermediate': list(intermediate), 'http://crl.test/root': list(root) },
      'passed crl 0',
      'passed crl 0+1',
    ],
    [
      'a list that revokes',
      { 'http://crl.test/intermediate': list(intermediate, [leaf]) },
      'CERT_REVOKED',
      'CERT_REVOKED',
    ],
  ])('%s', async (_what, answers, soft, underHard) => {
    expect(await judged({ online: true, fetch: network(answers).fetch })).toBe(soft)
    expect(await judged({ ...hard, fetch: network(answers).fetch })).toBe(underHard)
  })

  it('nobody is asked unless told to, nor where a staple has told, nor by a certificate that is not verified', async () => {
    const { fetch, asked } = network({})
    await judged({ fetch })
    await judged({ fetch, online: true }, { stapled: staple('good') })
    await judged({ fetch, online: true }, {}, { verify: { fingerprints: fingerprint(leaf.certificate) }, ca: [] })
    await judged({ fetch, online: true }, {}, { verify: { name: 'other.example.org' } })
    expect(asked).toEqual([])
  })

  it('a certificate with neither responder nor list is refused under hard', async () => {
    expect(await judged({ ...hard, fetch: network({}).fetch }, { served: other })).toBe('ERR_OCSP_NO_URL')
    expect(await judged({ ...hard, staple: 'off', fetch: network({}).fetch }, { served: other })).toBe(
      'ERR_OCSP_NO_URL',
    )
  })

  it('a responder and a server of lists that never answer count as none, in time', async () => {
    const fetch: typeof globalThis.fetch = (_url, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))))
    expect(await judged({ online: true, fetch, timeout: 50 })).toBe('waived soft-failure')
    expect(await judged({ ...hard, fetch, timeout: 50 })).toMatch(/^ERR_OCSP/)
    expect(await judged({ online: true, crlDepth: 'leaf', fetch, timeout: 50 })).toBe('UNABLE_TO_GET_CRL')
  })
})

describe('a cache', () => {
  function remembering(...known: (readonly [IssuedIdentity, Authority, Status])[]): OcspCache {
    const cache = new OcspCache()
    for (const [identity, issuer, status] of known)
      cache.put(ocspCacheKey({ certificate: identity.certificate, issuer: issuer.certificate }), {
        kind: 'response',
        response: staple(status, identity, issuer),
        expires: Date.now() + DAY,
      })
    return cache
  }
  const goodLeaf = [leaf, intermediate, 'good'] as const
  const chain = { failure: 'hard', depth: 'chain' } as const

  it('answers for the leaf and for intermediates without the network', async () => {
    expect(await judged({ ...chain, cache: remembering(goodLeaf) })).toBe('ERR_SECURE_SOCKET_NO_REVOCATION_STATUS')
    expect(await judged({ ...chain, cache: remembering(goodLeaf, [intermediate, root, 'good']) })).toBe(
      'passed ocsp 0+1',
    )
    expect(await judged({ ...chain, staple: 'off', cache: remembering(goodLeaf, [intermediate, root, 'good']) })).toBe(
      'passed ocsp 0+1',
    )
    expect(await judged({ depth: 'chain', cache: remembering(goodLeaf, [intermediate, root, 'revoked']) })).toBe(
      'CERT_REVOKED',
    )
    expect(await judged({ cache: remembering([leaf, intermediate, 'revoked']) })).toBe('CERT_REVOKED')
    expect(await judged({ failure: 'hard', staple: 'off', cache: remembering([leaf, intermediate, 'revoked']) })).toBe(
      'CERT_REVOKED',
    )
  })

  it('does not stand for the staple that must come', async () => {
    expect(await judged({ staple: 'must', cache: remembering(goodLeaf) })).toBe('ERR_OCSP_STAPLE_MISSING')
  })

  it.each<[string, OcspStore, string]>([
    [
      'fails',
      { get: () => Promise.reject(new Error('down')), put: () => Promise.reject(new Error('down')) },
      'waived soft-failure',
    ],
    [
      'answers nonsense',
      { get: () => ({ kind: 'response', response: 'x' }) as never, put: () => undefined },
      'waived soft-failure',
    ],
  ])('that %s knows nothing', async (_what, cache, soft) => {
    expect(await judged({ cache })).toBe(soft)
    expect(await judged({ cache, failure: 'hard' })).toBe('ERR_OCSP_STAPLE_MISSING')
  })

  it('that never answers ends with the handshake', async () => {
    const cache: OcspStore = { get: () => new Promise(() => undefined), put: () => undefined }
    expect(await judged({ cache }, {}, { handshakeTimeout: 300 })).toBe('ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT')
  })
})

describe('under a context of the program’s own, whose CAs only OpenSSL knows', () => {
  const direct = root.issue('localhost')
  const secureContext = createSecureContext({ ca: root.ca })

  it('the last certificate that the peer has shown is no anchor', async () => {
    const served = { served: direct }
    expect(await judged({ failure: 'hard' }, served, { secureContext })).toMatch(/^ERR_/)
    expect(await judged({ crlFile: file(list(root)) }, served, { secureContext })).toBe('UNABLE_TO_GET_CRL')
    expect(await judged({ crlFile: file(list(intermediate) + list(root)), staple: 'off' }, {}, { secureContext })).toBe(
      'passed crl 0',
    )
    expect(
      await judged(
        { crlFile: file(list(intermediate) + list(root, [intermediate])), crlDepth: 'chain' },
        {},
        { secureContext },
      ),
    ).toBe('UNABLE_TO_GET_CRL')
  })

  it('a callback is not told of an anchor that only we do not know, and still of everything else', async () => {
    const errors: string[] = []
    const callback = (question: { ok: boolean; errors: readonly string[] }): boolean => {
      errors.push(...question.errors)
      return question.ok
    }
    expect(await judged(undefined, { served: direct }, { secureContext, verify: { callback } })).toMatch(/waived/)
    expect(errors).toEqual([])
    const stranger = createSecureContext({ ca: createAuthority('stranger').ca })
    expect(await judged(undefined, { served: direct }, { secureContext: stranger, verify: { callback } })).toMatch(
      /UNABLE_TO_/,
    )
  })
})

it('the outcome says what was asked, or that a refused peer was not worth it', async () => {
  await using server = await tlsServer({ cert: leaf.cert, key: leaf.key })
  const error = await rejection(
    connect({ host: 'localhost', port: server.port, ca: root.ca, verify: { name: 'other' } }),
  )
  expect(error['outcomes']).not.toHaveProperty('revocation')
})
