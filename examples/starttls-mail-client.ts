// Mail is submitted in clear up to STARTTLS and encrypted from there. Nothing is sent to a server that does not prove its name, and
// nothing counts that somebody slipped in before TLS.
import { connect, listen, type SecureSocket } from '@x/socket'
import { smtp } from '@x/starttls'
import { createAuthority } from '@x/utils'

const authority = createAuthority('Example CA')
const { cert, key } = authority.issue('mail.example')

/** Stands for the mail server: just enough of it. */
async function serve(socket: SecureSocket): Promise<void> {
  const answers: [RegExp, string][] = [
    [/^EHLO/, socket.phase === 'plain' ? '250-mail.example\r\n250 STARTTLS\r\n' : '250 mail.example\r\n'],
    [/^STARTTLS/, '220 go ahead\r\n'],
    [/^QUIT/, '221 bye\r\n'],
    [/./, '250 ok\r\n'],
  ]
  for (;;) {
    const line = String((await socket.readLine()) ?? '')
    if (line === '') return
    socket.write(answers.find(([pattern]) => pattern.test(line))?.[1] ?? '')
    if (!line.startsWith('STARTTLS')) continue
    await socket.startTls()
    return serve(socket)
  }
}
const server = await listen({ host: '127.0.0.1', port: 0, cert, key, startHandshake: false })
server.on('connection', (socket) => {
  socket.write('220 mail.example ESMTP\r\n')
  serve(socket).catch((error: unknown) => socket.destroy(error as Error))
})
const { port } = server.address() as { port: number }

const socket = await connect({
  host: '127.0.0.1',
  port,
  servername: 'mail.example',
  ca: authority.ca,
  verify: { scheme: 'smtp' },
  starttls: smtp, // greeting, EHLO, STARTTLS; for a connection that is open already there is startTls()
})
console.log('encrypted:', socket.getProtocol(), socket.verification?.outcomes.name.result)

for (const command of ['EHLO client.example', 'MAIL FROM:<me@client.example>', 'RCPT TO:<you@mail.example>', 'QUIT']) {
  socket.write(`${command}\r\n`) // what was said before TLS is said again: it could have been forged
  console.log(command, '->', String(await socket.readLine()).trim())
}
socket.destroy()
server.closeAllConnections()
await server.close()
