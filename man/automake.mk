# man: pages as they stand go to dist_man_MANS, generated ones to nodist_man_MANS (and to CLEANFILES).
