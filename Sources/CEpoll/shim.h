// Of Linux; Swift's own module of the C library does not show them.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

int accept4(int descriptor, struct sockaddr *peer, socklen_t *length, int flags);
