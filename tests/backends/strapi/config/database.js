module.exports = ({ env }) => ({
  connection: {
    client: 'postgres',
    connection: { host: env('DB_HOST'), port: 5432, database: env('DB_DATABASE'), user: 'postgres', password: 'unused' },
  },
});
