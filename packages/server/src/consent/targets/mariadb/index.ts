export { type MariadbTarget, openMariadb } from './open-mariadb.ts';
