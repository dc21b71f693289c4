/** Stream sockets: the interface. An address is `unix:/path` or `host:port`, as the switch writes them. */

export interface SocketStream extends AsyncDisposable {
  write(data: Uint8Array): void;
  onData(listener: (data: Uint8Array) => void): void;
  /** Resolves when the other side has closed. */
  readonly closed: Promise<void>;
}

export interface Sockets {
  /** Somebody accepts connections there. */
  isListening(address: string): Promise<boolean>;
  /** Throws the system's error when nobody accepts. */
  connect(address: string): Promise<SocketStream>;
  /** The address at which this very process reaches it, for libraries that open sockets themselves. */
  here(address: string): Promise<string>;
}
