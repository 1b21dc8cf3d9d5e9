import type { AddressInfo, Socket } from 'node:net'
import type { Facade } from './facade.ts'

/** The socket's own view of itself that net.Socket's members need. */
export interface Surface {
  /** The TCP socket below, where there is one. */
  readonly transport: Socket | undefined
  readonly connecting: boolean
  readonly bytesRead: number
  readonly bytesWritten: number
  reset(): void
  ref(): void
  unref(): void
}

type Getters = {
  readonly [K in
    | 'connecting'
    | 'pending'
    | 'bytesRead'
    | 'bytesWritten'
    | 'bufferSize'
    | 'remoteAddress'
    | 'remotePort'
    | 'remoteFamily'
    | 'localAddress'
    | 'localPort'
    | 'localFamily'
    | 'autoSelectFamilyAttemptedAddresses']: (surface: Surface, socket: Facade) => unknown
}

/** net.Socket answers these from its own handle, which a facade has not: each is answered by the transport. */
const getters: Getters = {
  connecting: (surface) => surface.connecting,
  pending: (surface) => surface.connecting,
  bytesRead: (surface) => surface.bytesRead,
  bytesWritten: (surface, socket) => surface.bytesWritten + socket.writableLength,
  bufferSize: (_surface, socket) => socket.writableLength,
  remoteAddress: (surface) => surface.transport?.remoteAddress,
  remotePort: (surface) => surface.transport?.remotePort,
  remoteFamily: (surface) => surface.transport?.remoteFamily,
  localAddress: (surface) => surface.transport?.localAddress,
  localPort: (surface) => surface.transport?.localPort,
  localFamily: (surface) => surface.transport?.localFamily,
  autoSelectFamilyAttemptedAddresses: (surface) => surface.transport?.autoSelectFamilyAttemptedAddresses,
}

/**
 * Installs the getters on the class. They have setters that do nothing: net.Socket's constructor assigns some of these names,
 * before the instance's own state exists.
 */
export function installSurface(prototype: Facade, surfaceOf: (socket: Facade) => Surface | undefined): void {
  for (const [name, get] of Object.entries(getters))
    Object.defineProperty(prototype, name, {
      configurable: true,
      enumerable: true,
      get(this: Facade) {
        const surface = surfaceOf(this)
        return surface === undefined ? undefined : get(surface, this)
      },
      set() {
        // net.Socket's constructor assigns; there is nothing to keep
      },
    })
  const methods = {
    address(this: Facade): AddressInfo | Record<string, never> {
      return surfaceOf(this)?.transport?.address() ?? {}
    },
    setNoDelay(this: Facade, noDelay?: boolean): Facade {
      surfaceOf(this)?.transport?.setNoDelay(noDelay)
      return this
    },
    setKeepAlive(this: Facade, enable?: boolean, initialDelay?: number): Facade {
      surfaceOf(this)?.transport?.setKeepAlive(enable, initialDelay)
      return this
    },
    ref(this: Facade): Facade {
      surfaceOf(this)?.ref()
      return this
    },
    unref(this: Facade): Facade {
      surfaceOf(this)?.unref()
      return this
    },
    resetAndDestroy(this: Facade): Facade {
      surfaceOf(this)?.reset()
      this.destroy()
      return this
    },
  }
  for (const [name, value] of Object.entries(methods))
    Object.defineProperty(prototype, name, { configurable: true, writable: true, enumerable: true, value })
}
