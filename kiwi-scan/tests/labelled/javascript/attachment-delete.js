const { unlink } = require('node:fs/promises');

module.exports = async function attachmentRoutes(fastify) {
  fastify.post('/attachments/remove', async (request, reply) => {
    const { ticket, fileName } = request.body;
    const ticketId = parseInt(ticket, 10);
    const location = '/srv/tickets/' + ticketId + '/' + fileName;
    await unlink(location);
    reply.code(204);
    return null;
  });
};
