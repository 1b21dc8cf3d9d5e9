import { android } from './platforms/android.ts'
import { darwin } from './platforms/darwin.ts'
import { freebsd } from './platforms/freebsd.ts'
import { linux } from './platforms/linux.ts'
import { netbsd } from './platforms/netbsd.ts'
import { openbsd } from './platforms/openbsd.ts'
import { sunos } from './platforms/sunos.ts'
import { unix } from './platforms/unix.ts'
import { win32 } from './platforms/win32.ts'

/** One place where CAs may be. */
export interface PlatformRow {
  /** A bundle in PEM, or a directory with hashed names; absolute. */
  readonly kind: 'file' | 'directory'
  readonly path: string
  /** The systems that keep it there; reported as a certificate's origin. */
  readonly systems: string
  /** Who says so. */
  readonly citation: string
}

/** How one platform is searched: rows in this order, then the system's own store, then what is left. */
export interface Platform {
  readonly rows: readonly PlatformRow[]
  /** Whether node:tls reads a store of the operating system that is no file. */
  readonly hasSystemStore: boolean
  readonly afterSystemStore: readonly PlatformRow[]
  /** What stands between directories in SSL_CERT_DIR. */
  readonly delimiter: ':' | ';'
}

const platforms: ReadonlyMap<string, Platform> = new Map(
  Object.entries({ android, darwin, freebsd, linux, netbsd, openbsd, sunos, win32 }),
)

/** The row set of `process.platform`; one that is not listed is searched as OpenSSL would. */
export function platformSources(platform: string): Platform {
  return platforms.get(platform) ?? unix
}
