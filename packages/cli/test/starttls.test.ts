import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTls } from '@x/socket'
import { createAuthority } from '@x/utils'
import { afterEach, expect, it } from 'vitest'
import { runCommand } from '../src/command.ts'

const authority = createAuthority('cli tests')
const identity = authority.issue(['127.0.0.1'])
const folder = mkdtempSync(join(tmpdir(), 'x-cli-'))
const caFile = join(folder, 'ca.pem')
writeFileSync(caFile, authority.ca)
const closing: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })]
afterEach(() => {
  for (const close of closing.splice(1)) close()
})

/** An SMTP server that knows no more than is needed here. */
async function smtpServer(extra = ''): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    socket.write('220 test ESMTP\r\n')
    socket.on('data', (line: Buffer) => {
      if (String(line).startsWith('EHLO')) socket.write('250-test\r\n250 STARTTLS\r\n')
      else if (String(line).startsWith('STARTTLS')) {
        socket.removeAllListeners('data').pause()
        socket.write(`220 go ahead\r\n${extra}`)
        const options = { isServer: true, cert: identity.cert, key: identity.key }
        startTls(socket, options).then(
          (secure) => secure.on('error', () => undefined).resume(),
          () => undefined,
        )
      }
    })
  }).listen(0, '127.0.0.1')
  closing.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  await new Promise((resolve) => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

async function run(...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const status = await runCommand(args, {
    print: (text) => {
      out += text
    },
    printError: (text) => {
      err += text
    },
    colours: false,
  })
  return { status, out, err }
}

it('checks a server behind STARTTLS', async () => {
  const port = await smtpServer()
  const { status, out } = await run('check', `127.0.0.1:${port}`, '--starttls', 'smtp', '--ca-file', caFile)
  expect([status, out]).toEqual([0, expect.stringContaining('verified')])
})

it('does not trust a server that says more before TLS than it may', async () => {
  const port = await smtpServer('250 injected\r\n')
  const { status, out } = await run('check', `127.0.0.1:${port}`, '--starttls', 'smtp', '--ca-file', caFile, '--json')
  expect(status).toBe(1)
  expect(JSON.parse(out)).toMatchObject({ verified: false, error: { code: expect.stringMatching(/^ERR_STARTTLS_/) } })
})

it('knows the protocols', async () => {
  const { status, err } = await run('check', '127.0.0.1', '--starttls', 'gopher')
  expect([status, err]).toEqual([2, expect.stringContaining('--starttls takes ftp, imap')])
})
