import { expect, it } from 'vitest';
import { placeOf } from '../src/fill/place.ts';

it('only what is named as a fill is written to', () => {
  const database = (url: string) => ({ url, config: { backend: 'database', database: { url } } });
  const cache = (url: string) => ({ url, config: { backend: 'cache', cache: { url } } });
  expect(placeOf('sqlite:fill.db')).toEqual(database('sqlite:fill.db'));
  expect(placeOf('sqlite:/data/fill-2.db')).toEqual(database('sqlite:/data/fill-2.db'));
  expect(placeOf('postgres://h/d')).toEqual(database('postgres://h/d?schema=fill'));
  expect(placeOf('postgresql://h/d?schema=fill_2')).toEqual(
    database('postgresql://h/d?schema=fill_2'),
  );
  expect(placeOf('redis://h')).toEqual(cache('redis://h?prefix=fill%3A'));
  expect(placeOf('rediss://h/1?prefix=fill-2:')).toEqual(cache('rediss://h/1?prefix=fill-2:'));

  for (const other of [
    'sqlite:sessions.db',
    'sqlite:fill/sessions.db',
    'sqlite::memory:',
    'postgres://h/d?schema=public',
    'redis://h?prefix=lex:',
    'redis://h?prefix=',
  ]) {
    expect(() => placeOf(other), other).toThrow(/must begin with 'fill'/);
  }
  for (const wrong of ['fill.db', '', 'http://h/fill', 'mysql://h/fill']) {
    expect(() => placeOf(wrong), wrong).toThrow(/expected/);
  }
  const secret = () => placeOf('postgres://u:secret@h/d?schema=public');
  expect(secret).toThrow(/^(?!.*secret)/);
});
