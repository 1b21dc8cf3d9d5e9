import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  createStapler,
  type CreateStaplerOptions,
  type OcspError,
  type Stapler,
  verifyOcspResponse,
} from '../src/index.ts'
import {
  ca,
  codeOf,
  createBody,
  DAY,
  FakeResponder,
  HOUR,
  leaf,
  LEAF_URL,
  MINUTE,
  NOW,
  otherLeaf,
  question,
  respond,
  root,
  type Status,
  VALID,
} from './pki.ts'

let staplers: Stapler[] = []
beforeEach(() => void vi.useFakeTimers({ now: NOW }))
afterEach(async () => {
  for (const one of staplers) one.close()
  staplers = []
  await vi.advanceTimersByTimeAsync(0)
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

function stapler(options: CreateStaplerOptions): Stapler {
  const made = createStapler(options)
  staplers.push(made)
  return made
}

/** What a server would staple for the leaf. */
function ask(
  from: Stapler,
  certificate: Uint8Array = leaf.raw,
  issuer: Uint8Array | null = ca.raw,
): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    from.onRequest(certificate, issuer, (error, response) => (error === null ? resolve(response) : reject(error)))
  })
}

/** A responder whose answers are as of now and end after so long. */
function running(status: Partial<Status> = {}, lasts = DAY): FakeResponder {
  const entry = {
    get status() {
      return status.status ?? 'good'
    },
    get thisUpdate() {
      return Date.now()
    },
    get nextUpdate() {
      return status.nextUpdate === null ? null : Date.now() + lasts
    },
  } as Status
  const responder = new FakeResponder([[{ certificate: leaf, issuer: ca }, entry]])
  responder.now = () => Date.now()
  return responder
}

const statusOf = (der: Uint8Array | null): string =>
  der === null ? 'none' : verifyOcspResponse(der, { ...question, now: Date.now() }).status

describe('a stapler', () => {
  it('waits for the first answer, then has it at hand', async () => {
    const responder = running()
    const under = stapler({ fetch: responder.fetch })
    expect(await Promise.all([ask(under), ask(under)]).then((all) => all.map(statusOf))).toEqual(['good', 'good'])
    expect(statusOf(await ask(under))).toBe('good')
    expect(responder.requests.map((one) => one.url)).toEqual([LEAF_URL])
  })

  it('refreshes at half of the time that an answer has left', async () => {
    const responder = running()
    const under = stapler({ fetch: responder.fetch })
    await ask(under)
    await vi.advanceTimersByTimeAsync(12 * HOUR - 1)
    expect(responder.requests).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(responder.requests).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(12 * HOUR)
    expect(responder.requests).toHaveLength(3)
  })

  it('keeps the last good answer while the responder is down, until its end and not beyond', async () => {
    const responder = running()
    const errors: OcspError[] = []
    const under = stapler({ fetch: responder.fetch, onError: (error) => errors.push(error) })
    await ask(under)
    responder.instead = () => Promise.reject(new Error('ECONNREFUSED'))
    await vi.advanceTimersByTimeAsync(DAY - 1)
    expect(statusOf(await ask(under))).toBe('good')
    await vi.advanceTimersByTimeAsync(1)
    expect(statusOf(await ask(under))).toBe('none')
    expect(new Set(errors.map((one) => one.code))).toEqual(new Set(['ERR_OCSP_FETCH_FAILED']))
    responder.instead = undefined
    await vi.advanceTimersByTimeAsync(10 * MINUTE)
    expect(statusOf(await ask(under))).toBe('good')
  })

  it('asks a dead responder ever less often, and handshakes do not wait for it each time', async () => {
    const responder = running()
    responder.instead = () => Promise.reject(new Error('ECONNREFUSED'))
    const under = stapler({ fetch: responder.fetch })
    for (let i = 0; i < 100; i++) expect(await ask(under)).toBeNull()
    expect(responder.requests).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(30_000 + 60_000 + 120_000)
    expect(responder.requests).toHaveLength(4)
    await vi.advanceTimersByTimeAsync(DAY)
    expect(responder.requests.length).toBeLessThan(4 + 150)
  })

  it('does not wait longer than told for a slow responder', async () => {
    const under = stapler({ fetch: () => new Promise(() => undefined), wait: 200 })
    const pending = ask(under)
    await vi.advanceTimersByTimeAsync(199)
    const second = ask(under) // joins the question that is under way, with the patience that is left
    await vi.advanceTimersByTimeAsync(1)
    expect(await Promise.all([pending, second])).toEqual([null, null])
    expect(await ask(under)).toBeNull()
  })

  it.each([
    ['by another CA', () => createBody(respond({}, { signer: root }))],
    [
      'about another certificate',
      () => createBody(respond({}, { responses: [{ certificate: otherLeaf, issuer: ca, status: 'good' }] })),
    ],
    ['that has expired', () => createBody(respond({ thisUpdate: NOW - 9 * DAY, nextUpdate: NOW - DAY }))],
    ['that expired a minute ago, within any skew', () => createBody(respond({ nextUpdate: NOW - MINUTE }))],
    ['that is garbage', () => createBody(new Uint8Array(100))],
    ['that says unknown', () => createBody(respond({ status: 'unknown' }))],
  ])('staples no answer %s', async (_name, instead) => {
    const responder = running()
    responder.instead = instead
    expect(await ask(stapler({ fetch: responder.fetch }))).toBeNull()
  })

  it('keeps a good answer when the responder forgets the certificate', async () => {
    const responder = running()
    const under = stapler({ fetch: responder.fetch })
    await ask(under)
    responder.instead = () =>
      createBody(respond({ status: 'unknown', thisUpdate: Date.now() }, { producedAt: Date.now() }))
    await vi.advanceTimersByTimeAsync(13 * HOUR)
    expect(statusOf(await ask(under))).toBe('good')
  })

  it('staples a revocation in place of a good answer', async () => {
    const status: { status: Status['status'] } = { status: 'good' }
    const responder = running(status)
    const under = stapler({ fetch: responder.fetch })
    expect(statusOf(await ask(under))).toBe('good')
    status.status = 'revoked'
    await vi.advanceTimersByTimeAsync(12 * HOUR)
    expect(statusOf(await ask(under))).toBe('revoked')
  })

  it('does not go back to an older answer', async () => {
    const status: { status: Status['status'] } = { status: 'revoked' }
    const responder = running(status)
    const under = stapler({ fetch: responder.fetch })
    expect(statusOf(await ask(under))).toBe('revoked')
    responder.instead = () => createBody(respond({ thisUpdate: NOW - HOUR, nextUpdate: NOW + 9 * DAY }))
    await vi.advanceTimersByTimeAsync(12 * HOUR)
    expect(statusOf(await ask(under))).toBe('revoked')
  })

  it('replaces answers without nextUpdate each hour', async () => {
    const responder = running({ nextUpdate: null })
    await ask(stapler({ fetch: responder.fetch }))
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(responder.requests).toHaveLength(2)
  })

  it('finds the issuer among those given where the server has none', async () => {
    const responder = running()
    const errors: string[] = []
    const onError = (error: OcspError): void => void errors.push(error.code)
    expect(await ask(stapler({ fetch: responder.fetch, onError }), leaf.raw, null)).toBeNull()
    expect(errors).toEqual(['ERR_OCSP_NO_ISSUER'])
    expect(
      statusOf(await ask(stapler({ fetch: responder.fetch, issuers: [root.cert, ca.cert] }), leaf.raw, null)),
    ).toBe('good')
  })

  it('asks the responder that it is told to, for a certificate that names none', async () => {
    const certificate = ca.issue({ names: 'silent.example', ...VALID })
    const responder = new FakeResponder([
      [
        { certificate, issuer: ca },
        { status: 'good', thisUpdate: NOW },
      ],
    ])
    const errors: string[] = []
    expect(
      await ask(stapler({ fetch: responder.fetch, onError: (error) => errors.push(error.code) }), certificate.raw),
    ).toBeNull()
    expect(errors).toEqual(['ERR_OCSP_NO_URL'])
    const told = stapler({ fetch: responder.fetch, url: 'http://mine.test/' })
    expect(await ask(told, certificate.raw)).not.toBeNull()
    expect(responder.requests.map((one) => one.url)).toEqual(['http://mine.test/'])
  })

  it('can be asked before a server listens', async () => {
    const responder = running()
    const under = stapler({ fetch: responder.fetch })
    expect(await under.staple(leaf.cert, ca.certificate)).toBeInstanceOf(Uint8Array)
    await ask(under)
    expect(responder.requests).toHaveLength(1)
  })

  it('staples nothing and asks nobody after close', async () => {
    const responder = running()
    const under = stapler({ fetch: responder.fetch })
    await ask(under)
    under.close()
    expect(await ask(under)).toBeNull()
    expect(await ask(under, otherLeaf.raw)).toBeNull()
    await vi.advanceTimersByTimeAsync(DAY)
    expect(responder.requests).toHaveLength(1)
  })

  it('never fails a handshake over a certificate that cannot be read, or a listener that throws', async () => {
    const under = stapler({
      fetch: running().fetch,
      onError: () => {
        throw new Error('mine')
      },
    })
    expect(await ask(under, Uint8Array.of(0x30, 0))).toBeNull()
    expect(await ask(under, leaf.raw, null)).toBeNull()
  })

  it.each([
    ['url', { url: 'ftp://x/' }],
    ['url', { url: 5 }],
    ['wait', { wait: -1 }],
    ['timeout', { timeout: 'x' }],
    ['method', { method: 'PUT' }],
    ['now', { now: 5 }],
    ['onError', { onError: 5 }],
    ['fetch', { fetch: 5 }],
    ['issuer', { issuer: ca }],
  ])('refuses %s %#', (name, options) => {
    expect(codeOf(() => createStapler(options as never))).toMatch(/^ERR_INVALID_ARG_/)
    expect(() => createStapler(options as never)).toThrow(name)
  })
})
