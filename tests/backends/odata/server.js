const cds = require('@sap/cds')

// On loopback alone: by itself it listens everywhere.
cds.on('bootstrap', app => {
  const listen = app.listen
  app.listen = port => listen.call(app, port, '127.0.0.1')
})
module.exports = cds.server
