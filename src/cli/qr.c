#include "qr.h"

#include <errno.h>
#include <qrencode.h>
#include <string.h>

SG_DEFINE_CLEANUP(QRcode, QRcode_free)

enum { QUIET = 4, MOST_BYTES = 2953, LIMIT_DRAWN = 1 << 20 }; /* ISO/IEC 18004: 6.3.8, table 7 */

/* Outside of the code it is light. */
static bool is_dark(const QRcode *code, int row, int column)
{
    if (row < 0 || column < 0 || row >= code->width || column >= code->width)
        return false;
    return (code->data[row * code->width + column] & 1) != 0;
}

static bool draw_line(const QRcode *code, int row, bool colours, struct sg_buf *drawn,
                      struct sg_error *error)
{
    static const char *const BLOCKS[2][2] = {{"█", "▀"}, {"▄", " "}}; /* by upper, lower dark */

    if (colours && !sg_buf_printf(drawn, LIMIT_DRAWN, error, "\033[40;37m"))
        return false;
    for (int column = -QUIET; column < code->width + QUIET; column++) {
        bool upper = is_dark(code, row, column), lower = is_dark(code, row + 1, column);

        if (!sg_buf_printf(drawn, LIMIT_DRAWN, error, "%s", BLOCKS[upper][lower]))
            return false;
    }
    return sg_buf_printf(drawn, LIMIT_DRAWN, error, "%s\n", colours ? "\033[0m" : "");
}

bool sg_cli_qr_text(const char *text, bool colours, struct sg_buf *drawn, struct sg_error *error)
{
    sg_auto(QRcode) QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);

    if (code == NULL && errno == ERANGE)
        return sg_fail(error, SG_USAGE, NULL,
                       "%zu bytes are too many for a QR code, which takes %d at most; use --qr "
                       "fingerprint",
                       strlen(text), MOST_BYTES);
    if (code == NULL)
        return sg_fail_errno(error, "the QR code can't be made");
    for (int row = -QUIET; row < code->width + QUIET; row += 2)
        if (!draw_line(code, row, colours, drawn, error))
            return false;
    return true;
}
