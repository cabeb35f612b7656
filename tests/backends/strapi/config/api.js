// As a new Strapi project has it.
module.exports = {
  rest: { defaultLimit: 25, maxLimit: 100, withCount: true },
};
