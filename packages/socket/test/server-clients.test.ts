import { createSecureContext } from 'node:tls'
import { certificateToPem, createAuthority, createCertificate } from '@x/utils'
import { describe, expect, it } from 'vitest'
import type { ListenOptions } from '../src/index.ts'
import { accepted, echoing, ourServer, refusal, visit } from './server-support.ts'
import { authority, identity, rejection } from './support.ts'

const stranger = createAuthority('stranger')
const good = authority.issue({ names: 'client', purpose: 'client' })
const foreign = stranger.issue({ names: 'client', purpose: 'client' })
const expired = authority.issue({
  names: 'client',
  purpose: 'client',
  notBefore: new Date(Date.now() - 2e9),
  notAfter: new Date(Date.now() - 1e9),
})
const wrongPurpose = authority.issue({ names: 'client', purpose: 'server' })
const versions = ['TLSv1.2', 'TLSv1.3'] as const
const show = ({ cert, key }: { cert: string; key: string }) => ({ cert, key })

async function demanding(options: ListenOptions) {
  const server = await ourServer({ ca: authority.ca, ...options })
  echoing(server)
  return server
}

describe.each(versions)('client certificates, %s', (version) => {
  const limits = { minVersion: version, maxVersion: version } as const

  it.each([
    ['required', true],
    ['optional', true],
    [true, true],
    [false, false],
  ] as const)('%s: a good one is accepted and known', async (requestCert, known) => {
    await using server = await demanding({ requestCert })
    const seen = accepted(server).then((socket) => ({
      subject: socket.peerCertificate()?.subject,
      chain: socket.verification?.outcomes.chain.result,
    }))
    expect(await visit(server.port, { ...show(good), ...limits })).toMatchObject({ answer: 'ping', error: undefined })
    expect(await seen).toEqual(
      known ? { subject: 'CN=client', chain: 'passed' } : { subject: undefined, chain: 'waived' },
    )
  })

  const bad = [
    ['of an unknown CA', foreign, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
    ['that has expired', expired, 'CERT_HAS_EXPIRED'],
    ['for servers', wrongPurpose, 'INVALID_PURPOSE'],
  ] as const
  for (const requestCert of ['required', 'optional'] as const)
    it.each(bad)(`${requestCert}: one %s is refused before any data`, async (_what, shown, code) => {
      await using server = await demanding({ requestCert })
      let sockets = 0
      server.on('connection', () => sockets++)
      const told = refusal(server)
      expect((await visit(server.port, { ...show(shown), ...limits })).answer).toBe('')
      expect(await told).toMatchObject({ code, check: 'chain', phase: 'verify', host: '127.0.0.1' })
      expect(sockets).toBe(0)
    })

  it('required: none is refused; optional: none is no certificate', async () => {
    await using strict = await demanding({ requestCert: 'required' })
    const told = refusal(strict)
    expect((await visit(strict.port, limits)).answer).toBe('')
    expect(await told).toMatchObject({ code: 'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE' })
    await using lax = await demanding({ requestCert: 'optional' })
    const seen = accepted(lax).then((socket) => [socket.peerCertificate(), socket.verification?.outcomes.chain])
    expect((await visit(lax.port, limits)).answer).toBe('ping')
    expect(await seen).toEqual([undefined, { result: 'waived', waiver: expect.anything(), failures: [] }])
  })

  it('are judged by callback, pins and name, too', async () => {
    const asked: string[] = []
    await using server = await demanding({
      requestCert: true,
      verify: { callback: ({ certificate, errors }) => (asked.push(certificate.subject), errors.length === 0) },
    })
    expect((await visit(server.port, { ...show(good), ...limits })).answer).toBe('ping')
    expect(asked).toEqual(['CN=socket tests', 'CN=client'])
    await using refusing = await demanding({ requestCert: true, verify: { callback: () => false } })
    expect((await visit(refusing.port, { ...show(good), ...limits })).answer).toBe('')
    await using pinned = await demanding({
      requestCert: true,
      verify: { fingerprints: `sha256$${'0'.repeat(64)}`, forceFingerprints: true },
    })
    const told = refusal(pinned)
    expect((await visit(pinned.port, { ...show(good), ...limits })).answer).toBe('')
    expect(await told).toMatchObject({ code: 'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH' })
  })

  it('come with their intermediates: every Node exposes the chain as sent', async () => {
    const intermediate = createCertificate({
      subject: { commonName: 'middle' },
      ca: true,
      purpose: 'CA',
      issuer: authority,
    })
    const leaf = createCertificate({ subject: { commonName: 'leaf' }, purpose: 'client', issuer: intermediate })
    const key = leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const chain = { cert: certificateToPem([leaf.certificate, intermediate.certificate]), key, ...limits }
    await using server = await demanding({ requestCert: true, verify: { callback: ({ ok }) => ok } })
    const seen = accepted(server).then((socket) => socket.peerCertificates().map(({ subject }) => subject))
    expect((await visit(server.port, chain)).answer).toBe('ping')
    expect(await seen).toEqual(['CN=leaf', 'CN=middle'])
  })
})

describe.each(versions)('names of CAs, %s', (version) => {
  const limits = { minVersion: version, maxVersion: version } as const

  it.each([
    ['none', []],
    ['another one', [stranger.ca]],
    ['the trusted one', [authority.ca]],
  ])('%s: who is trusted stays the same', async (_what, clientCaNames) => {
    await using server = await demanding({ requestCert: true, clientCaNames })
    expect((await visit(server.port, { ...show(good), ...limits })).answer).toBe('ping')
    for (const [shown, code] of [
      [foreign, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
      [expired, 'CERT_HAS_EXPIRED'],
      [wrongPurpose, 'INVALID_PURPOSE'],
    ] as const) {
      const told = refusal(server)
      expect((await visit(server.port, { ...show(shown), ...limits })).answer).toBe('')
      expect(await told).toMatchObject({ code })
    }
    const told = refusal(server)
    expect((await visit(server.port, limits)).answer).toBe('')
    expect(await told).toMatchObject({ code: 'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE' })
  })

  it('make no anchors where nobody is trusted', async () => {
    await using server = await demanding({ requestCert: true, ca: [], clientCaNames: [stranger.ca] })
    const told = refusal(server)
    expect((await visit(server.port, { ...show(foreign), ...limits })).answer).toBe('')
    expect(await told).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
  })

  it('are waived by nobody: a callback is asked of the trusted chain', async () => {
    await using server = await demanding({
      requestCert: true,
      clientCaNames: [stranger.ca],
      verify: { callback: ({ ok }) => ok },
    })
    expect((await visit(server.port, { ...show(good), ...limits })).answer).toBe('ping')
    expect((await visit(server.port, { ...show(foreign), ...limits })).answer).toBe('')
  })
})

/** Rule 9: what Node would resume without looking. */
describe.each(versions)('tickets, %s', (version) => {
  const limits = { minVersion: version, maxVersion: version } as const
  const ticketKeys = Buffer.alloc(48, 3)

  it('resume at the same host, and the certificate is judged again', async () => {
    await using server = await demanding({ requestCert: 'required' })
    const first = await visit(server.port, { ...show(good), ...limits })
    const seen = accepted(server).then((socket) => ({
      reused: socket.sessionReused,
      subject: socket.peerCertificate()?.subject,
      chain: socket.verification?.outcomes.chain,
    }))
    const second = await visit(server.port, { ...show(good), ...limits, session: first.session })
    expect(second).toMatchObject({ answer: 'ping', reused: true })
    expect(await seen).toMatchObject({
      reused: true,
      subject: 'CN=client',
      chain: { result: 'passed', evidence: { proven: 'earlier' } },
    })
  })

  const refused = {
    'open.example.org': identity,
    'closed.example.org': { ...show(identity), requestCert: true },
  } as const
  const anyone = { checkServerIdentity: () => undefined }

  it('earned where no certificate is asked for do not resume where one is required', async () => {
    await using server = await demanding({
      ticketKeys,
      hosts: {
        'open.example.org': show(refused['open.example.org']),
        'closed.example.org': refused['closed.example.org'],
        'lax.example.org': { ...show(identity), requestCert: 'optional' },
      },
    })
    for (const earnedAt of ['open.example.org', 'lax.example.org']) {
      const { session, answer } = await visit(server.port, { ...limits, ...anyone, servername: earnedAt })
      expect([answer, session]).toEqual(['ping', expect.anything()])
      const told = refusal(server)
      const found = await visit(server.port, { ...limits, ...anyone, servername: 'closed.example.org', session })
      expect(found).toMatchObject({ answer: '', reused: false })
      expect(await told).toMatchObject({ code: 'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE' })
    }
  })

  it('of one host do not resume at another, nor at a server with another policy that shares the keys', async () => {
    await using one = await demanding({ ticketKeys, requestCert: 'optional', ca: stranger.ca })
    await using other = await demanding({ ticketKeys, requestCert: 'optional' })
    const { session } = await visit(one.port, { ...show(foreign), ...limits })
    const told = refusal(other)
    expect((await visit(other.port, { ...show(foreign), ...limits, session })).answer).toBe('')
    expect(await told).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
    await using hosts = await demanding({ hosts: { 'a.example.org': show(identity), 'b.example.org': show(identity) } })
    const a = await visit(hosts.port, { ...limits, ...anyone, servername: 'a.example.org' })
    expect(
      await visit(hosts.port, { ...limits, ...anyone, servername: 'b.example.org', session: a.session }),
    ).toMatchObject({ reused: false, answer: 'ping' })
    expect(
      await visit(hosts.port, { ...limits, ...anyone, servername: 'a.example.org', session: a.session }),
    ).toMatchObject({ reused: true, answer: 'ping' })
  })

  it('that a refused client got on the way resume nothing', async () => {
    for (const shown of [foreign, expired]) {
      await using server = await demanding({ requestCert: 'optional', ticketKeys })
      const { session } = await visit(server.port, { ...show(shown), ...limits })
      if (session === undefined) continue // TLS 1.3: refused before the ticket was read
      expect((await visit(server.port, { ...limits, session })).answer).not.toBe('')
      expect((await visit(server.port, { ...show(shown), ...limits, session })).answer).toBe('')
    }
  })

  it('are not taken at all where a verdict needs more than a ticket holds', async () => {
    for (const options of [{ verify: { callback: () => true } }, { clientCaNames: [] }, { now: () => Date.now() }]) {
      await using server = await demanding({ requestCert: true, ...options })
      const { session } = await visit(server.port, { ...show(good), ...limits })
      expect(await visit(server.port, { ...show(good), ...limits, session })).toMatchObject({
        reused: false,
        answer: 'ping',
      })
    }
  })

  it("of a context of the program's own count as no certificate", async () => {
    const secureContext = createSecureContext({
      ...show(identity),
      ca: authority.ca,
      ticketKeys,
      sessionIdContext: 'mine',
    })
    await using server = await ourServer({ secureContext, requestCert: true })
    echoing(server)
    const { session, answer } = await visit(server.port, { ...show(good), ...limits })
    expect(answer).toBe('ping')
    const told = refusal(server)
    expect(await visit(server.port, { ...show(good), ...limits, session })).toMatchObject({ answer: '' })
    expect(await told).toMatchObject({ code: 'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE' })
  })
})

it('clientCaNames and secureContext contradict', async () => {
  const secureContext = createSecureContext(show(identity))
  expect(await rejection(ourServer({ secureContext, clientCaNames: [] }))).toMatchObject({
    code: 'ERR_INVALID_ARG_VALUE',
  })
})
