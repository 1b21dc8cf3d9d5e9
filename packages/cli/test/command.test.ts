import { writeFileSync, mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listen } from '@x/socket'
import { createAuthority, fingerprint } from '@x/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseTarget, runCommand } from '../src/command.ts'
import { formatReport, type Report } from '../src/report.ts'

const authority = createAuthority('cli tests')
const good = authority.issue(['www.example.org', '127.0.0.1'])
const folder = mkdtempSync(join(tmpdir(), 'x-cli-'))
const caFile = join(folder, 'ca.pem')
let server: Awaited<ReturnType<typeof listen>>
let target: string

beforeAll(async () => {
  writeFileSync(caFile, authority.ca)
  server = await listen({ host: '127.0.0.1', port: 0, cert: good.cert, key: good.key })
  server
    .on('tlsClientError', () => undefined)
    .on('connection', (socket) => socket.on('error', () => undefined).resume())
  target = `127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  await server.close()
  rmSync(folder, { recursive: true })
})

async function run(...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  const out: string[] = []
  const err: string[] = []
  const status = await runCommand(args, {
    print: (text) => out.push(text),
    printError: (text) => err.push(text),
    colours: false,
  })
  return { status, out: out.join('\n'), err: err.join('\n') }
}

describe('x-tls check', () => {
  it('exits with 0 for a verified server and says why', async () => {
    const { status, out } = await run(
      'check',
      target,
      '--ca-file',
      caFile,
      '--name',
      'www.example.org',
      '--scheme',
      'http',
    )
    expect(status).toBe(0)
    expect(out).toContain(`${target} verified`)
    expect(out).toMatch(/protocol +TLSv1\.3, TLS_/)
    expect(out).toContain("'www.example.org' matches 'www.example.org' by the rules of 'http'")
    expect(out).toContain(`a CA from ${caFile}`)
    expect(out).toContain(fingerprint(good.certificate))
  })

  it.each([
    ['a wrong name', ['--name', 'www.example.com'], 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['an unknown CA', ['--ca-file', join(folder, 'other.pem')], 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  ])('exits with 1 for %s', async (_what, args, code) => {
    writeFileSync(join(folder, 'other.pem'), createAuthority('other').ca)
    const { status, out } = await run('check', target, '--ca-file', caFile, ...args)
    expect(status).toBe(1)
    expect(out).toContain(`${target} not verified`)
    expect(out).toContain(code)
  })

  it('accepts a pinned certificate of an unknown CA', async () => {
    writeFileSync(join(folder, 'other.pem'), createAuthority('other').ca)
    const { status, out } = await run(
      'check',
      target,
      '--ca-file',
      join(folder, 'other.pem'),
      '--pin',
      fingerprint(good.certificate),
    )
    expect(status).toBe(0)
    expect(out).toContain('waived by fingerprint')
  })

  it('prints JSON for machines', async () => {
    const { status, out } = await run('check', target, '--ca-file', caFile, '--json')
    const report = JSON.parse(out) as Report
    expect(status).toBe(0)
    expect(report).toMatchObject({ host: '127.0.0.1', verified: true, chain: [{ subject: 'CN=www.example.org' }] })
    expect(report.checks.map(({ check, result }) => [check, result])).toEqual([
      ['fingerprint', 'waived'],
      ['chain', 'passed'],
      ['name', 'passed'],
      ['revocation', 'waived'],
    ])
  })

  it('exits with 1 where nobody listens', async () => {
    const { status, out } = await run('check', '127.0.0.1:1', '--json')
    expect(status).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ verified: false, error: { code: 'ECONNREFUSED', phase: 'connect' } })
  })

  it.each([
    [[]],
    [['chekc', 'host']],
    [['check']],
    [['check', 'a', 'b']],
    [['check', 'host', '--verbose']],
    [['check', 'host:99999']],
    [['check', 'http://host']],
    [['check', 'host', '--timeout', '0']],
    [['check', 'host:443', '--scheme', '']],
  ])('exits with 2 for %j', async (args) => {
    const { status, out, err } = await run(...args)
    expect([status, out]).toEqual([2, ''])
    expect(err).toContain('usage:')
  })

  it('helps', async () => {
    expect(await run('--help')).toMatchObject({ status: 0, out: expect.stringContaining('usage:') })
  })
})

describe('the report', () => {
  it('shows nothing of a server that could write over it', () => {
    const report: Report = {
      host: 'h',
      port: 1,
      verified: false,
      chain: [
        {
          subject: 'CN=evil\u001b[2K\rverified',
          issuer: '',
          notBefore: '2026-01-01',
          notAfter: '2027-01-01',
          names: ['DNS:a\nb'],
          fingerprint: 'f',
        },
      ],
      checks: [],
    }
    const text = formatReport(report, false)
    expect(text).not.toMatch(/[\r\u001b]/)
    expect(text.split('\n')).toHaveLength(5)
  })

  it.each([
    ['host', 'host', 443],
    ['host:1', 'host', 1],
    ['[::1]:2', '::1', 2],
    ['[::1]', '::1', 443],
    ['::1', '::1', 443],
    ['127.0.0.1:3', '127.0.0.1', 3],
  ])('reads %s', (text, host, port) => {
    expect(parseTarget(text)).toEqual({ host, port })
  })
})

describe('x-tls demo', () => {
  it('judges every server as it should', async () => {
    const { status, out } = await run('demo')
    expect(status).toBe(0)
    expect(out.match(/ not verified$/gm)).toHaveLength(5)
    expect(out.match(/:[0-9]+ verified$/gm)).toHaveLength(2)
    expect(out).toContain("sent 'hello, TLS', received 'hello, TLS'")
  })
})
