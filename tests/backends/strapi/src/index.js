// An API token, as an administrator would make it under Settings, API Tokens.
const fs = require('fs');

module.exports = {
  register() {},
  async bootstrap({ strapi }) {
    const token = await strapi
      .service('admin::api-token')
      .create({ name: 'sync', description: '', type: 'full-access', lifespan: null });
    fs.writeFileSync(process.env.TOKEN_FILE, token.accessKey);
  },
};
