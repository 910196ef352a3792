import { kindOf, shapeOf } from '../session/ids.ts';

/**
 * An address as a message may show it: without user, password, query and fragment. What is not clearly an
 * address, or a path of SQLite, is only measured, since a password may stand anywhere in it.
 */
export function maskAddress(address: string): string {
  if (address.trim() === '' || /^sqlite:[^?#@]*$/.test(address)) return kindOf(address);
  const scheme = /^[a-z][a-z0-9+.-]{0,31}:\/\//i.exec(address.slice(0, 40))?.[0];
  if (scheme === undefined) return shapeOf(address);
  const rest = address.slice(scheme.length);
  // A password may hold anything, so all up to the last @ may belong to it.
  const at = rest.lastIndexOf('@');
  const place = rest.slice(at + 1).split(/[?#]/, 1)[0] ?? '';
  if (!/^(\[[0-9a-f:.]*\]|[\w.-]*)(:\d{0,5})?(\/|$)/i.test(place)) return kindOf(`${scheme}***`);
  return kindOf(`${scheme}${at < 0 ? '' : '***@'}${place}`);
}
