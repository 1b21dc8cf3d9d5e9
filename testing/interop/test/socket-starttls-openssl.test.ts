import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { listen, type SecureSocket } from '@x/socket'
import { createAuthority } from '@x/utils'
import { afterAll, describe, expect, it } from 'vitest'
import { peer, RunningPeer, TemporaryFolder } from '../src/index.ts'

const openssl = peer('openssl')
const authority = createAuthority('interop CA')
const identity = authority.issue(['localhost', '127.0.0.1'])
const folder = new TemporaryFolder({ 'ca.pem': authority.ca })
afterAll(() => folder.dispose())

/** What our server greets with, and what it answers to which command; the last answer is followed by TLS. */
const dialogues: readonly (readonly [
  name: string,
  greeting: string,
  answers: readonly (readonly [RegExp, string])[],
])[] = [
  [
    'smtp',
    '220 mail ESMTP\r\n',
    [
      [/^EHLO/, '250-mail\r\n250 STARTTLS\r\n'],
      [/^STARTTLS/, '220 go ahead\r\n'],
    ],
  ],
  [
    'imap',
    '* OK ready\r\n',
    [
      [/CAPABILITY/, '* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK done\r\n'],
      [/STARTTLS/, '. OK begin\r\n'],
    ],
  ],
  ['pop3', '+OK ready\r\n', [[/^STLS/, '+OK begin\r\n']]],
  ['ftp', '220 ready\r\n', [[/^AUTH TLS/, '234 begin\r\n']]],
  [
    'lmtp',
    '220 mail LMTP\r\n',
    [
      [/^LHLO/, '250-mail\r\n250 STARTTLS\r\n'],
      [/^STARTTLS/, '220 go ahead\r\n'],
    ],
  ],
  [
    'nntp',
    '200 ready\r\n',
    [
      [/^CAPABILITIES/, '101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n'],
      [/^STARTTLS/, '382 begin\r\n'],
    ],
  ],
  ['sieve', '"SASL" ""\r\n"STARTTLS"\r\nOK\r\n', [[/^STARTTLS/, 'OK begin\r\n']]],
  ['irc', '', [[/^STARTTLS/, ':irc.example 670 * :begin\r\n']]],
  ['postgres', '', [[/^\0\0\0\x08\x04\xd2\x16\x2f$/, 'S']]],
]

async function serve(socket: SecureSocket, [name, greeting, answers]: (typeof dialogues)[number]): Promise<void> {
  if (greeting !== '') socket.write(greeting)
  for (const [pattern, answer] of answers) {
    const question = name === 'postgres' ? await socket.readBytes(8) : await socket.readLine()
    expect(question?.toString('latin1')).toMatch(pattern)
    socket.write(answer)
  }
  await socket.startTls()
}

describe.skipIf(openssl === undefined)('our server behind openssl s_client -starttls', () => {
  it.each(dialogues)('%s: clear, TLS, and clear again', async (...dialogue) => {
    const [name] = dialogue
    const server = await listen({
      host: '127.0.0.1',
      port: 0,
      cert: identity.cert,
      key: identity.key,
      startHandshake: false,
      stoppable: true,
    })
    const accepted = once(server, 'connection')
    const { port } = server.address() as { port: number }
    const args = ['s_client', '-starttls', name, '-connect', `127.0.0.1:${port}`, '-CAfile', folder.file('ca.pem')]
    await using client = new RunningPeer(spawn(openssl ?? '', [...args, '-verify_return_error', '-ign_eof']), port)
    const [socket] = await accepted
    socket.on('error', () => undefined)
    await serve(socket, dialogue)
    expect([socket.phase, socket.encrypted]).toEqual(['secure', true])
    client.process.stdin?.write('hello\n')
    expect(String(await socket.readLine())).toBe('hello\n')
    socket.write('answer\n')
    await client.printed(/^answer/m)
    // s_client ends at our close_notify, with one of its own
    await socket.stopTls()
    expect(socket.phase).toBe('plain')
    await once(client.process, 'close')
    socket.destroy()
    await server.close()
  })
})
