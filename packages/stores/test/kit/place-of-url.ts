/** A store's URL apart: the server's, and what the store has there to itself. */
export function placeOfUrl(url: string): {
  readonly server: string;
  readonly schema: string;
  readonly prefix: string;
} {
  const place = new URL(url);
  const { searchParams } = place;
  const [schema, prefix] = [searchParams.get('schema'), searchParams.get('prefix')];
  searchParams.delete('schema');
  searchParams.delete('prefix');
  return { server: place.href, schema: schema ?? 'public', prefix: prefix ?? 'lex:' };
}
